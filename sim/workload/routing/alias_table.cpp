#include "sim/workload/routing/alias_table.hpp"

#include <algorithm>
#include <cmath>

#include "sim/core/error.hpp"

namespace switchyard {

// The algorithm of Categorical (Vose, IEEE TSE 17(9), 1991); only the columns are smaller.
AliasTable::AliasTable(std::span<const double> shares) : columns_(shares.size()) {
  SWITCHYARD_CHECK(!shares.empty(), "no experts");
  std::vector<double> level(shares.size());  // what a column holds; 1 is full
  std::vector<std::size_t> poor;
  std::vector<std::size_t> rich;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    level[i] = shares[i] * static_cast<double>(shares.size());
    columns_[i].alias = static_cast<std::int32_t>(i);
    (level[i] < 1.0 ? poor : rich).push_back(i);
  }
  while (!poor.empty() && !rich.empty()) {
    const std::size_t receiver = poor.back();
    const std::size_t giver = rich.back();
    poor.pop_back();
    columns_[receiver].keep =
        static_cast<std::uint32_t>(std::min(std::nearbyint(level[receiver] * 0x1p32), 0x1p32 - 1));
    columns_[receiver].alias = static_cast<std::int32_t>(giver);
    level[giver] -= 1.0 - level[receiver];
    if (level[giver] < 1.0) {
      rich.pop_back();
      poor.push_back(giver);
    }
  }
  // What is left differs from full by rounding only, and is its own alias.
}

void AliasTable::fill(std::span<std::int32_t> experts, std::mt19937_64& rng) const {
  std::size_t i = 0;
  for (; i + 2 <= experts.size(); i += 2) {
    const std::uint64_t bits = rng();
    experts[i] = pick(static_cast<std::uint32_t>(bits >> 32));
    experts[i + 1] = pick(static_cast<std::uint32_t>(bits));
  }
  if (i < experts.size()) experts[i] = draw(rng);
}

}  // namespace switchyard
