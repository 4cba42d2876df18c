#include "sim/cli/calibration/points_file.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include "sim/cli/calibration/point_passes.hpp"
#include "sim/cli/calibration/point_shape.hpp"
#include "sim/cli/csv_reader.hpp"
#include "sim/cli/traces/measured_text.hpp"
#include "sim/core/error.hpp"
#include "sim/core/quantile.hpp"

namespace switchyard {
namespace {

constexpr std::string_view kFirstLine = "# switchyard points 1";

template <class Point>
struct Found {
  Point point;
  Passes passes;
};

/// Points by the text that says what was measured, in the order in which they came.
struct Gathered {
  std::map<std::string, PointRole> roles;
  std::map<std::string, std::size_t> places;
  std::vector<Found<KernelPoint>> kernels;
  std::vector<Found<CollectivePoint>> collectives;
  std::vector<Found<LayerPoint>> layers;
  References references;
};

double number_of(const std::string& text) {
  try {
    return std::stod(text);
  } catch (const std::exception&) {
    return 0.0;
  }
}

/// 0: not known.
double size_of_head(const std::string& text) {
  const double size = number_of(text);
  return size > 0 && size < 1e18 ? size : 0.0;
}

MeasuredDevice read_device_lines(const std::vector<std::string>& comments) {
  std::map<std::string, std::string> heads;
  for (const std::string& line : comments) {
    const std::size_t colon = line.find(": ");
    if (line.size() > 2 && colon != std::string::npos)
      heads[line.substr(2, colon - 2)] = line.substr(colon + 2);
  }
  const std::string tile = heads["product_tile"];  // "128x256"
  return {.backend = heads["backend"],
          .device = heads["device"],
          .software = heads["software"],
          .started = heads["started"],
          .cores = static_cast<int>(std::clamp(number_of(heads["cores"]), 1.0, 1e6)),
          .last_level_cache = Bytes{size_of_head(heads["last_level_cache_bytes"])},
          .memory = Bytes{size_of_head(heads["memory_bytes"])},
          .gpus = static_cast<int>(number_of(heads["gpus"])),
          .multiprocessors = static_cast<int>(number_of(heads["multiprocessors"])),
          .tile_rows = static_cast<int>(number_of(tile.substr(0, tile.find('x')))),
          .tile_columns = static_cast<int>(number_of(tile.substr(tile.find('x') + 1)))};
}

/// Passes of the current row's point; a new point where it is the first.
template <class Point>
void add_row(CsvReader& csv, const std::string& key, const Point& point,
             std::vector<Found<Point>>& found, Gathered& gathered) {
  const auto [place, is_new] = gathered.places.try_emplace(key, found.size());
  const int ranks_at_work = std::max(csv.count("ranks"), csv.count("busy_ranks"));
  if (is_new)
    found.push_back({point,
                     {.family = csv.text("operator") + " " + csv.text("precision"),
                      .ranks_at_work = ranks_at_work}});
  const double median = csv.positive("median_s");
  const double p10 = csv.positive("p10_s");
  const double p90 = csv.positive("p90_s");
  if (p10 > median || median > p90) csv.problem("expected p10_s <= median_s <= p90_s");
  // Imported points have none.
  const double reference = csv.text("reference_s").empty() ? 0.0 : csv.number("reference_s", 0);
  found[place->second].passes.passes.push_back({median, p10, p90, reference});
  if (reference == 0) return;
  ReferenceTimes& known = gathered.references[ranks_at_work];
  known.fastest = known.fastest > 0 ? std::min(known.fastest, reference) : reference;
  known.slowest = std::max(known.slowest, reference);
}

PointRole read_role(CsvReader& csv) {
  const std::string& role = csv.text("role");
  if (role == "fit") return PointRole::kFit;
  if (role == "held_out") return PointRole::kHeldOut;
  if (role != "layer")
    csv.problem(fmt::format("role: expected one of fit, held_out, layer, got \"{}\"", role));
  return PointRole::kLayer;
}

/// Notes a problem with the shape; true where there is none.
template <class Point>
bool reads_shape(CsvReader& csv, Point& point) {
  const std::string problem = read_shape(csv.text("shape"), point);
  if (!problem.empty()) csv.problem(problem);
  return problem.empty();
}

void add_point(CsvReader& csv, const std::string& key, PointRole role, Gathered& gathered) {
  const std::string& name = csv.text("operator");
  const std::string& precision = csv.text("precision");
  if (precision != "float32" && precision != "bfloat16")
    csv.problem(fmt::format("precision: expected float32 or bfloat16, got \"{}\"", precision));
  const int element_bytes = precision == "bfloat16" ? 2 : 4;
  const int threads = csv.count("threads");
  if (const auto kind = collective_of_name(name)) {
    CollectivePoint point{.kind = *kind,
                          .transport = csv.text("transport"),
                          .ranks = csv.count("ranks", 2),
                          .role = role};
    if (reads_shape(csv, point)) add_row(csv, key, point, gathered.collectives, gathered);
  } else if (name == "layer_forward" || name == "layer_forward_backward") {
    LayerPoint point{.has_backward = name != "layer_forward",
                     .element_bytes = element_bytes,
                     .transport = csv.text("transport"),
                     .threads = threads};
    if (reads_shape(csv, point)) add_row(csv, key, point, gathered.layers, gathered);
  } else if (const auto kernel = kernel_of_name(name)) {
    KernelPoint point{.call = {.kind = *kernel,
                               .element_bytes = element_bytes,
                               .threads = threads,
                               .busy_ranks = csv.count("busy_ranks")},
                      .role = role};
    if (reads_shape(csv, point.call)) add_row(csv, key, point, gathered.kernels, gathered);
  } else {
    csv.problem(fmt::format("operator: \"{}\" is none of those known to this version", name));
  }
}

void add_file(CsvReader& csv, Gathered& gathered) {
  csv.require({"operator", "precision", "shape", "transport", "ranks", "busy_ranks", "threads",
               "role", "median_s", "p10_s", "p90_s", "reference_s"});
  while (csv.next_row()) {
    std::string key;
    for (const char* column :
         {"operator", "precision", "shape", "transport", "ranks", "busy_ranks", "threads"})
      key += csv.text(column) + ",";
    const PointRole role = read_role(csv);
    const auto [known, is_new] = gathered.roles.try_emplace(key, role);
    if (known->second != role) csv.problem("role: another than that of the same point above");
    add_point(csv, key, role, gathered);
  }
}

void check_head(const std::filesystem::path& file, const std::vector<std::string>& comments) {
  const std::string first = comments.empty() ? "" : comments.front();
  if (first != kFirstLine)
    throw ConfigError(fmt::format(
        "{}:1: expected \"{}\", got \"{}\"; this version reads no other: measure again, or use the "
        "program that wrote it",
        file.string(), kFirstLine, first.substr(0, 60)));
}

/// Lines of a file that ended; heads of the first file alone.
void add_lines(const std::filesystem::path& file, std::vector<std::string>& lines) {
  const bool is_first = lines.empty();
  bool in_rows = false;
  std::ifstream in{file};
  for (std::string line; std::getline(in, line) && !in.eof();) {
    if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // byte order mark
    const bool is_head = line.starts_with('#') || !in_rows;
    if (line.ends_with('\r')) line.pop_back();
    if (!line.starts_with('#')) in_rows = true;
    if (!line.empty() && (is_first || !is_head)) lines.push_back(line);
  }
}

/// From pairs of passes over one point, of which one was at a machine that was 15 % slower.
template <class Point>
Sensitivities sensitivities_of(const std::vector<Found<Point>>& found) {
  constexpr double kApart = 0.15;  // logarithm
  constexpr std::size_t kFewest = 6;
  std::map<std::string, std::vector<double>> slopes;
  for (const Found<Point>& one : found) {
    const std::vector<Pass>& passes = one.passes.passes;
    for (std::size_t i = 0; i < passes.size(); ++i)
      for (std::size_t j = 0; j < i; ++j) {
        if (passes[i].reference == 0 || passes[j].reference == 0) continue;
        const double slower = std::log(passes[i].reference / passes[j].reference);
        if (std::abs(slower) < kApart) continue;
        slopes[one.passes.family].push_back(std::log(passes[i].median / passes[j].median) / slower);
      }
  }
  Sensitivities result;
  for (const auto& [family, of_family] : slopes)
    if (of_family.size() >= kFewest)
      result[family] = std::clamp(quantile(of_family, 0.5), 0.3, 2.0);
  return result;
}

template <class Point>
std::vector<Point> finished(const std::vector<Found<Point>>& found, const References& references) {
  std::vector<Point> points;
  const Sensitivities sensitivities = sensitivities_of(found);
  for (Found<Point> one : found) {
    one.passes.put_into(references, sensitivities, one.point);
    points.push_back(std::move(one.point));
  }
  return points;
}

}  // namespace

MeasuredPoints read_points(const std::vector<std::filesystem::path>& files) {
  MeasuredPoints result;
  Gathered gathered;
  for (const std::filesystem::path& file : files) {
    check_is_regular_file(file);
    CsvReader csv{file, CsvReader::TornLine::kIgnored};
    check_head(file, csv.comments());
    const MeasuredDevice device = read_device_lines(csv.comments());
    if (file == files.front()) result.device = device;
    for (const auto& [what, here, before] :
         {std::tuple{"device", device.device, result.device.device},
          std::tuple{"software", device.software, result.device.software}})
      if (here != before)
        throw ConfigError(
            fmt::format("{}: {}: expected \"{}\" as in {}, got \"{}\"; points of "
                        "several make several profiles",
                        file.string(), what, before, files.front().string(), here));
    add_file(csv, gathered);
    csv.throw_if_any();
    add_lines(file, result.lines);
  }
  for (const auto& [ranks, times] : gathered.references)
    result.device.drift = std::max(result.device.drift, times.slowest / times.fastest - 1.0);
  result.kernels = finished(gathered.kernels, gathered.references);
  result.collectives = finished(gathered.collectives, gathered.references);
  result.layers = finished(gathered.layers, gathered.references);
  return result;
}

}  // namespace switchyard
