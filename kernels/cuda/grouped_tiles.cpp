#include "kernels/cuda/grouped_tiles.hpp"

#include <algorithm>
#include <limits>
#include <span>

namespace switchyard::kernels {
namespace {

/// A tile and its cost per column relative to the widest: estimates, to be measured.
struct Candidate {
  GemmTile tile;
  double cost_per_column;
  bool forward_only;
};

// 208 columns: 2080 of Switch-C are ten of them. Only where the tile is not transposed: its width
// is not a multiple of 64.
constexpr Candidate kManyRows[] = {
    {{128, 256}, 1.0, false}, {{128, 208}, 1.03, true}, {{128, 128}, 1.15, false}};
constexpr Candidate kFewRowsTiles[] = {
    {{64, 256}, 1.0, false}, {{64, 128}, 1.03, false}, {{64, 64}, 1.08, false}};

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

GemmTile choose_tile(const TileDemand& demand) {
  const bool has_few_rows = demand.rows_per_group <= kFewRows;
  const std::span<const Candidate> candidates =
      has_few_rows ? std::span<const Candidate>{kFewRowsTiles} : kManyRows;
  GemmTile best = candidates.front().tile;
  double least = std::numeric_limits<double>::infinity();
  for (const auto& [tile, cost_per_column, forward_only] : candidates) {
    if (forward_only && !demand.is_forward) continue;
    const std::int64_t tiles = demand.num_groups * ceil_div(demand.rows_per_group, tile.rows) *
                               ceil_div(demand.columns, tile.columns);
    const auto waves = static_cast<double>(ceil_div(tiles, demand.num_sms));
    const double cost = waves * tile.columns * cost_per_column;
    if (cost >= least) continue;
    least = cost;
    best = tile;
  }
  return best;
}

}  // namespace switchyard::kernels
