#include "sim/cli/calibration/import/repeated_shapes.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace switchyard {
namespace {

using ShapeKey = std::tuple<std::string, std::string, std::string, std::string, int>;

struct Repeats {
  int points = 0;
  double fastest_s = 0;
  double slowest_s = 0;
  std::set<std::string> files;
};

}  // namespace

std::string repeated_shapes_text(const std::vector<ImportedPoint>& points) {
  std::map<ShapeKey, Repeats> shapes;
  for (const ImportedPoint& point : points) {
    Repeats& same = shapes[{point.name, point.shape, point.type, point.transport, point.ranks}];
    same.fastest_s = same.points == 0 ? point.median_s : std::min(same.fastest_s, point.median_s);
    same.slowest_s = std::max(same.slowest_s, point.median_s);
    same.files.insert(point.file);
    ++same.points;
  }
  std::erase_if(shapes, [](const auto& shape) { return shape.second.points < 2; });
  if (shapes.empty()) return "";
  const auto farthest = std::ranges::max_element(shapes, {}, [](const auto& shape) {
    return shape.second.slowest_s / shape.second.fastest_s;
  });
  const auto& [key, times] = *farthest;
  return fmt::format(
      "{} of the imported shapes {} more than once; the geometric mean of {} medians counts. They "
      "differ by up to {:.3g} %: {} {}, {:.4g} to {:.4g} us, in {}",
      shapes.size(), shapes.size() == 1 ? "occurs" : "occur", shapes.size() == 1 ? "its" : "their",
      100 * (times.slowest_s / times.fastest_s - 1), std::get<0>(key), std::get<1>(key),
      1e6 * times.fastest_s, 1e6 * times.slowest_s, fmt::join(times.files, ", "));
}

}  // namespace switchyard
