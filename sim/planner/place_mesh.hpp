#pragma once

#include <array>
#include <vector>

#include "sim/engine/training_run.hpp"

namespace switchyard {

/// An order of mesh axes, from neighbouring ranks to distant ones, and a step in it.
struct PlacedMesh {
  std::array<MeshAxis, kNumMeshAxes> order{};
  Seconds step_time;  ///< by the closed forms, in perfect balance
};

/// A step of `run` in every order of those axes that have several ranks, the fastest first; of
/// equal ones the first in the order of MeshAxis. Axes of one rank come last and change nothing.
/// Cost: at most 4! = 24 simulations by closed forms.
[[nodiscard]] std::vector<PlacedMesh> placed_meshes(const TrainingRunSpec& run);

}  // namespace switchyard
