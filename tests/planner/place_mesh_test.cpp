#include "sim/planner/place_mesh.hpp"

#include <gtest/gtest.h>

#include "tests/workload/step_examples.hpp"

namespace switchyard {
namespace {

using namespace literals;
using namespace testing;

/// Two nodes of four ranks: 100 GB/s inside, 10 GB/s between them.
TrainingRunSpec run_on_two_nodes(const Partition& partition) {
  TrainingRunSpec run;
  ClusterSpec cluster;
  cluster.nodes = 2;
  cluster.node = {.num_ranks = 4, .port = {.bandwidth = 100_GBps, .latency = 1_us}};
  cluster.nics_per_node = 4;
  cluster.nic = {.bandwidth = 10_GBps, .latency = 1_us};
  run.system.network = cluster;
  run.system.device.peak_bfloat16 = 100_TFLOPps;
  run.system.device.memory_bandwidth = 1000_GBps;
  run.system.device.memory_capacity = 16_GiB;
  run.step = step_of(t5({.layers = 2, .d_model = 512, .d_ff = 2048, .num_heads = 8}));
  run.step.sequences = 1024;
  run.step.microbatch_sequences = 8;
  run.step.partition = partition;
  run.draws = 0;
  return run;
}

// Tensor ranks exchange activations in every layer, data ranks gradients once a step: tensor ranks
// belong side by side, within a node.
TEST(PlacedMeshes, PutsTensorRanksIntoANode) {
  const std::vector<PlacedMesh> meshes = placed_meshes(run_on_two_nodes({.data = 2, .tensor = 4}));
  ASSERT_EQ(meshes.size(), 2U);  // 2! orders of the two axes with several ranks
  EXPECT_EQ(meshes[0].order[0], MeshAxis::kTensor);
  EXPECT_EQ(meshes[1].order[0], MeshAxis::kData);
  EXPECT_LT(meshes[0].step_time, meshes[1].step_time);
}

TEST(PlacedMeshes, TriesEveryOrderOfTheAxesThatAreThere) {
  EXPECT_EQ(placed_meshes(run_on_two_nodes({.data = 8})).size(), 1U);
  EXPECT_EQ(placed_meshes(run_on_two_nodes({.data = 2, .tensor = 2, .sequence = 2})).size(), 6U);
}

}  // namespace
}  // namespace switchyard
