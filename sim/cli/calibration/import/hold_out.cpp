#include "sim/cli/calibration/import/hold_out.hpp"

#include <cstdlib>
#include <map>
#include <tuple>

#include "sim/cli/calibration/point_shape.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kFewestShapes = 4;

/// The numbers of a shape, then its text: loads differ by it alone.
using ShapeOrder = std::pair<std::vector<double>, std::string>;
using Operator = std::tuple<std::string, std::string, std::string, std::string, int>;

struct Shape {
  std::vector<ImportedPoint*> points;
  std::string role;
};

}  // namespace

void hold_out_every_third(std::vector<ImportedPoint>& points) {
  std::map<Operator, std::map<ShapeOrder, Shape>> operators;
  for (ImportedPoint& point : points) {
    ShapeOrder order{{}, point.shape};
    std::string kind;
    for (const ShapeEntry& entry : shape_entries(point.shape).value_or(std::vector<ShapeEntry>{})) {
      if (entry.key == "kind") kind = entry.value;
      order.first.push_back(std::strtod(entry.value.c_str(), nullptr));
    }
    Shape& shape = operators[{point.name, kind, point.type, point.transport, point.ranks}][order];
    shape.points.push_back(&point);
    if (shape.role.empty()) shape.role = point.role;
  }
  for (auto& [name, shapes] : operators) {
    std::size_t place = 0;
    for (auto& [order, shape] : shapes) {
      const bool is_held_out =
          shapes.size() >= kFewestShapes && place % 3 == 1 && place + 1 < shapes.size();
      ++place;
      if (shape.role.empty()) shape.role = is_held_out ? "held_out" : "fit";
      for (ImportedPoint* point : shape.points) point->role = shape.role;
    }
  }
}

}  // namespace switchyard
