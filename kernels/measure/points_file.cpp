#include "kernels/measure/points_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "kernels/layer/kernel_error.hpp"
#include "kernels/run/number_text.hpp"

namespace switchyard::kernels {
namespace {

constexpr const char* kSchema = "# switchyard points 1";
constexpr const char* kColumns =
    "operator,precision,shape,transport,ranks,busy_ranks,threads,role,pass,repeats,median_s,p10_s,"
    "p90_s,reference_s";
constexpr const char* kClockColumn = ",clock_mhz";
constexpr std::array<const char*, 3> kRoles{"fit", "held_out", "layer"};
constexpr std::size_t kKeyColumns = 7;
constexpr std::size_t kRanksColumn = 4;
constexpr std::size_t kThreadsColumn = 6;
constexpr std::size_t kPassColumn = 8;
constexpr std::size_t kReferenceColumn = 13;
constexpr std::size_t kNumColumns = 14;  ///< without the clock

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw KernelError{Fault::kSpec, path + ": " + why};
}

std::string columns(bool has_clock) {
  return std::string{kColumns} + (has_clock ? kClockColumn : "");
}

std::string head_text(const PointsHead& head, bool has_clock) {
  return std::string{kSchema} + '\n' + head_lines(head) + columns(has_clock) + '\n';
}

}  // namespace

PointsFile::PointsFile(std::string path, const PointsHead& head, bool has_clock)
    : path_{std::move(path)}, has_clock_{has_clock} {
  std::ifstream old;
  if (std::filesystem::is_regular_file(path_)) old.open(path_, std::ios::binary);
  std::string line;
  std::uintmax_t whole_bytes = 0;
  if (old.is_open() && std::getline(old, line)) {
    if (line != kSchema) fail(path_, "is no points file of this version; give another file");
    do {
      if (old.eof()) break;  // a torn last line
      whole_bytes += line.size() + 1;
      if (line == kSchema || line == columns(has_clock)) continue;
      if (line.starts_with("# ")) {
        require_same_head(path_, line, head);
        continue;
      }
      const auto cells = cells_of(line);
      if (cells.size() != kNumColumns + (has_clock ? 1 : 0)) continue;
      require_same_threads(path_, cells[kThreadsColumn], head);
      std::string key = cells[0];
      for (std::size_t i = 1; i < kKeyColumns; ++i) key += ',' + cells[i];
      const auto number = [&](std::size_t column) { return std::atoi(cells[column].c_str()); };
      remember(key, number(kPassColumn), std::max(number(kRanksColumn), number(kRanksColumn + 1)),
               std::strtod(cells[kReferenceColumn].c_str(), nullptr));
    } while (std::getline(old, line));
  }
  old.close();
  if (whole_bytes > 0) {
    std::error_code error;
    std::filesystem::resize_file(path_, whole_bytes, error);
    if (error) fail(path_, "cannot be written: " + error.message());
  }
  errno = 0;
  stream_.open(path_, std::ios::binary | std::ios::app);
  if (whole_bytes == 0) stream_ << head_text(head, has_clock);
  stream_.flush();
  if (!stream_) cannot_write_points(path_);
}

bool PointsFile::has(const OperatorPoint& point, int pass) const {
  const auto found = passes_.find(point_key(point));
  return found != passes_.end() && found->second.passes.contains(pass);
}

double PointsFile::fastest_reference_s(int num_ranks) const {
  const auto found = fastest_reference_s_.find(num_ranks);
  return found == fastest_reference_s_.end() ? std::numeric_limits<double>::infinity()
                                             : found->second;
}

void PointsFile::add(const OperatorPoint& point, int pass, const PointTiming& timing,
                     double reference_s, std::optional<double> clock_mhz) {
  const std::string key = point_key(point);
  std::string line = key + ',' + kRoles.at(static_cast<std::size_t>(point.role)) + ',' +
                     std::to_string(pass) + ',' + std::to_string(timing.repeats);
  for (const double seconds : {timing.median_s, timing.p10_s, timing.p90_s, reference_s})
    line += ',' + number_text(seconds);
  if (has_clock_) line += ',' + (clock_mhz ? number_text(*clock_mhz) : "");
  errno = 0;
  stream_ << line + '\n';
  stream_.flush();
  if (!stream_) cannot_write_points(path_);
  remember(key, pass, std::max(point.ranks, point.busy_ranks), reference_s);
}

void PointsFile::remember(const std::string& key, int pass, int num_ranks, double reference_s) {
  PointPasses& point = passes_[key];
  point.num_ranks = num_ranks;
  point.passes.insert(pass);
  point.references_s.push_back(reference_s);
  double& fastest = fastest_reference_s_.try_emplace(num_ranks, reference_s).first->second;
  fastest = std::min(fastest, reference_s);
}

}  // namespace switchyard::kernels
