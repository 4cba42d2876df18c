#include "sim/cli/calibration/import/import_points.hpp"

#include <algorithm>
#include <ostream>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/cli/calibration/import/hold_out.hpp"
#include "sim/cli/calibration/import/import_format.hpp"
#include "sim/cli/calibration/import/import_trace.hpp"
#include "sim/cli/calibration/import/imported_points_text.hpp"
#include "sim/cli/calibration/import/one_stack.hpp"
#include "sim/cli/calibration/import/read_nccl_log.hpp"
#include "sim/cli/calibration/import/read_operator_csv.hpp"
#include "sim/cli/calibration/import/repeated_shapes.hpp"
#include "sim/cli/traces/measured_text.hpp"
#include "sim/cli/traces/read_kineto.hpp"
#include "sim/cli/traces/read_nsight.hpp"
#include "sim/core/error.hpp"
#include "sim/report/output_folder.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;
constexpr const char* kPointsName = "imported_points.csv";

MeasuredFormat format_of(const ImportRequest& request, const std::string& text,
                         const fs::path& file) {
  const MeasuredFormat found = request.format == "nccl-tests"  ? MeasuredFormat::kNcclTests
                               : request.format == "operators" ? MeasuredFormat::kOperators
                                                               : measured_format(text, file);
  const bool is_trace = found == MeasuredFormat::kKineto || found == MeasuredFormat::kNsight;
  if (request.format == "trace" && !is_trace)
    throw ConfigError(fmt::format("{}: expected a trace, JSON or CSV", file.string()));
  return found;
}

/// Files of points among the files go to `points`.
std::vector<ReadFile> read_files(const ImportRequest& request, std::vector<fs::path>& points) {
  std::vector<ReadFile> files;
  for (const fs::path& file : request.files) {
    const std::string text = read_measured_text(file);
    switch (format_of(request, text, file)) {
      case MeasuredFormat::kPoints:
        points.push_back(file);
        break;
      case MeasuredFormat::kNcclTests:
        files.push_back(
            {file, read_nccl_log(text, file.string(),
                                 {.collective = request.collective, .ranks = request.ranks})});
        break;
      case MeasuredFormat::kOperators:
        check_is_text(text, file.string());
        files.push_back({file, read_operator_csv(text, file.string())});
        break;
      case MeasuredFormat::kKineto:
        files.push_back({file, import_trace(read_kineto(text, file.string()), file.string())});
        break;
      case MeasuredFormat::kNsight:
        files.push_back({file, import_trace(read_nsight(text, file.string()), file.string())});
        break;
    }
  }
  return files;
}

std::vector<ImportedPoint> points_of(const std::vector<ReadFile>& files, const std::string& backend,
                                     Imported& result) {
  std::vector<ImportedPoint> points;
  for (const ReadFile& file : files) {
    std::ranges::copy(file.contents.points, std::back_inserter(points));
    std::ranges::copy(file.contents.unused, std::back_inserter(result.unused));
    std::ranges::copy(file.contents.warnings, std::back_inserter(result.warnings));
  }
  if (backend == "cuda") keep_one_type(points, result.unused);
  if (std::string repeated = repeated_shapes_text(points); !repeated.empty())
    result.warnings.push_back(std::move(repeated));
  hold_out_every_third(points);
  std::map<std::string, std::set<std::string>> sources;
  for (const ImportedPoint& point : points)
    sources[point.name].insert(fs::path{point.file}.filename().string());
  for (const auto& [name, names] : sources)
    result.sources[name] = plain_words(fmt::format("{}", fmt::join(names, ", ")));
  return points;
}

[[noreturn]] void refuse_nothing(const Imported& result) {
  std::map<std::string, int> reasons;
  for (const UnusedTime& unused : result.unused) ++reasons[unused.reason];
  std::string text = "nothing that could be fitted to was in the files";
  for (const auto& [reason, count] : reasons)
    text += fmt::format("\n  {} of these: {}", count, reason);
  throw ConfigError(text);
}

/// Points of both: the heads of the first file, with the imports' software added.
MeasuredPoints read_together(std::vector<fs::path> files, const std::string& software) {
  MeasuredPoints points = read_points(files);
  if (points.device.software == software) return points;
  points.device.software += ", and " + software;
  for (std::string& line : points.lines)
    if (line.starts_with("# software: ")) line = "# software: " + points.device.software;
  return points;
}

/// The file that imports write may be one of those that they go with.
void refuse_overwriting(const std::vector<fs::path>& files, const fs::path& written) {
  for (const fs::path& file : files) {
    std::error_code unknown;
    if (fs::equivalent(file, written, unknown))
      throw ConfigError(
          fmt::format("{}: would be overwritten by the points that are imported now; give another "
                      "--out, or all files to --import at once",
                      file.string()));
  }
}

}  // namespace

Imported import_points(const ImportRequest& request) {
  std::vector<fs::path> points_files = request.points;
  const std::vector<ReadFile> files = read_files(request, points_files);
  const MeasuredPoints own = points_files.empty() ? MeasuredPoints{} : read_points(points_files);
  if (files.empty()) return {.points = own};
  refuse_overwriting(points_files, request.folder / kPointsName);

  check_one_software(files, request.software, own);
  const std::string software = agreed(request.software, files, &ImportedFile::software,
                                      "--software", "\"PyTorch 2.5, cuBLAS 12.4\"");
  MeasuredDevice device = own.device;
  Imported result;
  std::string backend = request.backend;
  int multiprocessors = 0;
  for (const ReadFile& file : files) {
    if (backend.empty()) backend = file.contents.backend;
    multiprocessors = std::max(multiprocessors, file.contents.multiprocessors);
  }
  if (backend.empty()) backend = "cuda";
  if (backend != "cuda" && backend != "cpu")
    throw ConfigError(fmt::format("backend: expected cuda or cpu, got \"{}\"", backend));
  if (!points_files.empty() && !own.kernels.empty() && own.device.backend != backend)
    throw ConfigError(fmt::format(
        "the points are of a device of backend {}, the imported files of {}; two devices make two "
        "profiles (--import-backend says otherwise)",
        own.device.backend, backend));
  const std::vector<ImportedPoint> points = points_of(files, backend, result);
  if (points.empty()) refuse_nothing(result);
  if (points_files.empty()) {
    device = {.backend = backend,
              .device = agreed(request.device, files, &ImportedFile::device, "--device",
                               "\"NVIDIA H100 80GB HBM3\""),
              .software = software,
              .started = newest_date(request.files)};
    int& units = backend == "cuda" ? device.gpus : device.cores;
    for (const ImportedPoint& point : points) units = std::max(units, point.ranks);
  }
  write_files_atomically(request.folder, {{kPointsName, [&](std::ostream& out) {
                                             out << imported_points_text(points, device,
                                                                         multiprocessors);
                                           }}});
  points_files.push_back(request.folder / kPointsName);
  result.points = read_together(points_files, software);
  return result;
}

std::string base_profile_of(const std::string& device) {
  for (const auto& [word, profile] : {std::pair{"GB200", "gb200"},
                                      {"B200", "b200"},
                                      {"H200", "h200-sxm"},
                                      {"H800", "h800-sxm"},
                                      {"A100", "a100-sxm-80gb"}})
    if (device.find(word) != std::string::npos) return profile;
  return "h100-sxm";
}

}  // namespace switchyard
