#include "sim/planner/place_mesh.hpp"

#include <algorithm>

namespace switchyard {

std::vector<PlacedMesh> placed_meshes(const TrainingRunSpec& run) {
  std::vector<MeshAxis> wide;
  std::vector<MeshAxis> single;
  for (int i = 0; i < kNumMeshAxes; ++i) {
    const auto axis = static_cast<MeshAxis>(i);
    (axis_size(run.step.partition, axis) > 1 ? wide : single).push_back(axis);
  }
  TrainingRunSpec placed = run;
  placed.draws = 0;
  placed.folding = Folding::kOneForAll;
  std::vector<PlacedMesh> meshes;
  do {
    auto& order = placed.step.partition.order;
    std::ranges::copy(single, std::ranges::copy(wide, order.begin()).out);
    meshes.push_back(
        {.order = order, .step_time = simulate_training(placed, EngineKind::kAnalytic).step_time});
  } while (std::ranges::next_permutation(wide).found);
  std::ranges::stable_sort(meshes, {}, &PlacedMesh::step_time);
  return meshes;
}

}  // namespace switchyard
