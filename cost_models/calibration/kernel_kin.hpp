#pragma once

#include <vector>

#include "cost_models/calibration/kernel_form.hpp"

namespace switchyard {

/// Kinds that run like loops over like data: what is known of one says something of the others. Of
/// kNone each is for itself.
enum class KernelKin { kNone, kProducts, kRouters, kRows, kActivations };

[[nodiscard]] KernelKin kin_of(KernelKind kind);

/// Where the constants of caches and memory are to be found by other kinds, after copies told them.
[[nodiscard]] std::vector<ConstantRange> near_copies(const KernelConstants& of_copies);

/// Where the constants of a kin's kinds are to be found: at those of one form fitted to the points
/// of all, and near `machine` those that have a range there. Just `machine` for a kin of one kind.
/// @param kinds  points of each kind and variant
[[nodiscard]] std::vector<ConstantRange> near_kin(const std::vector<Points>& kinds,
                                                  const ProductTiles& tiles,
                                                  const std::vector<ConstantRange>& machine);

}  // namespace switchyard
