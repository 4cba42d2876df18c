#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/error.hpp"
#include "tests/topologies/network_examples.hpp"
#include "topologies/analysis.hpp"
#include "topologies/bisection.hpp"

namespace switchyard {
namespace {

using namespace literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> names(const Topology& topology, int source, int destination) {
  std::vector<std::string> result;
  for (const LinkId link : path(topology, RankId{source}, RankId{destination}))
    result.push_back(topology.links[link.index()].name);
  return result;
}

BytesPerSecond bandwidth_of(const Topology& topology, const std::string& name) {
  const auto link = std::ranges::find(topology.links, name, &NetworkLink::name);
  return link == topology.links.end() ? 0_GBps : link->bandwidth;
}

/// Messages of a uniform all-to-all on each link whose name contains `part`.
std::set<std::int64_t> loads_of(const Topology& topology, const std::string& part) {
  const std::vector<std::int64_t> messages = path_statistics(topology).messages;
  std::set<std::int64_t> loads;
  for (const NetworkLink& link : topology.links)
    if (link.name.find(part) != std::string::npos) loads.insert(messages[link.id.index()]);
  return loads;
}

BytesPerSecond bisection_of(const NetworkSpec& spec) {
  return bisection(spec, build_topology(spec)).bandwidth;
}

std::string error_of(const NetworkSpec& spec) {
  try {
    (void)build_topology(spec);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(BuildScaleUp, GivesEveryRankAPortIntoOneSwitch) {
  const Topology topology = build_scale_up(node_of(8));
  EXPECT_EQ(topology.links.size(), 16U);
  EXPECT_THAT(names(topology, 2, 5), ElementsAre("rank2:up", "rank5:down"));
  EXPECT_EQ(bisection_of(node_of(8)), 1800_GBps);  // 4 ports of 450
  EXPECT_EQ(bisection_of(node_of(5)), 900_GBps);   // 2 of 5 ranks to the others
  // 7 messages up each port
  EXPECT_NEAR(uniform_all_to_all_bound(topology, 450_MB).base(), 7e-3, 1e-12);
  EXPECT_EQ(diameter(topology), 2);
}

TEST(BuildFullyConnected, LinksEveryPairOnce) {
  const FullyConnectedSpec spec{.num_ranks = 5, .link = link_of(10)};
  const Topology topology = build_fully_connected(spec);
  EXPECT_EQ(topology.links.size(), 20U);
  EXPECT_THAT(names(topology, 3, 1), ElementsAre("rank3->rank1"));
  EXPECT_THAT(names(topology, 1, 3), ElementsAre("rank1->rank3"));
  EXPECT_EQ(bisection_of(spec), 60_GBps);  // 2 x 3 links
  EXPECT_EQ(diameter(topology), 1);
}

TEST(BuildFatTree, HasTheLinksOfItsTiers) {
  // 4 leaves x 4 hosts, 2 spines: 16 + 4 x 2 cables, two directions each.
  const Topology topology = build_fat_tree(two_tiers(4, 4, 2, 1.0));
  EXPECT_EQ(topology.links.size(), 2U * (16 + 8));
  EXPECT_EQ(boost::num_vertices(topology.graph), 16U + 4 + 2);
  EXPECT_EQ(bandwidth_of(topology, "leaf0->spine1"), 100_GBps);  // 4 x 50 over 2 spines
  EXPECT_EQ(bisection_of(two_tiers(4, 4, 2, 1.0)), 400_GBps);    // 8 hosts x 50
  EXPECT_EQ(bisection_of(two_tiers(4, 4, 2, 2.0)), 200_GBps);    // half of it
}

TEST(BuildFatTree, TakesASpineByTheDestination) {
  const Topology topology = build_fat_tree(two_tiers(4, 4, 2, 1.0));
  EXPECT_THAT(names(topology, 0, 3), ElementsAre("rank0:up", "rank3:down"));
  EXPECT_THAT(names(topology, 0, 5),
              ElementsAre("rank0:up", "leaf0->spine1", "spine1->leaf1", "rank5:down"));
}

TEST(BuildFatTree, SpreadsAUniformAllToAllIdeally) {
  // 4 hosts of a leaf send to 12 others over 2 spines: 24 up each, as many down.
  const Topology two = build_fat_tree(two_tiers(4, 4, 2, 1.0));
  EXPECT_THAT(loads_of(two, "->"), ElementsAre(24));
  // 3 tiers: pods of 2 leaves x 4 hosts, 2 spines, 4 cores. A leaf's hosts send 4 x 12 messages
  // over 2 spines: 24. A pod sends 8 x 8 to the other over 4 cores: 16.
  const Topology three = build_fat_tree(three_tiers(2, 2, 4, 2, 2));
  EXPECT_THAT(loads_of(three, "leaf0->pod0/spine"), ElementsAre(24));
  EXPECT_THAT(loads_of(three, "->core"), ElementsAre(16));
  EXPECT_THAT(loads_of(three, "core0->"), ElementsAre(16));
}

TEST(BuildFatTree, PassesTheCoresBetweenPods) {
  const FatTreeSpec spec = three_tiers(2, 2, 4, 2, 2);
  const Topology topology = build_fat_tree(spec);
  // Rank 15 takes way 15 mod 4 = 3: spine 1 and core 3.
  EXPECT_THAT(names(topology, 0, 15),
              ElementsAre("rank0:up", "pod0/leaf0->pod0/spine1", "pod0/spine1->core3",
                          "core3->pod1/spine1", "pod1/spine1->pod1/leaf1", "rank15:down"));
  // Uplinks 4 x 50 / 2 = 100; a spine's 2 leaves x 100 over 2 cores: 100.
  EXPECT_EQ(bandwidth_of(topology, "pod0/spine1->core3"), 100_GBps);
  EXPECT_EQ(bisection_of(spec), 400_GBps);  // 8 hosts x 50
  FatTreeSpec thin = spec;
  thin.core_oversubscription = 4.0;
  EXPECT_EQ(bisection_of(thin), 100_GBps);
}

TEST(BuildFatTree, HashesDeterministicallyAndSpreads) {
  FatTreeSpec spec = two_tiers(8, 16, 4, 1.0);
  spec.choice = {.kind = PathChoice::kEcmp, .seed = 3};
  const Topology topology = build_fat_tree(spec);
  // Each uplink expects 16 x 112 / 4 = 448 of a leaf's 1792 messages, each with probability 1/4:
  // a standard deviation of sqrt(1792 x 3/16) = 18.3. Six of them for 64 links.
  for (const std::int64_t load : loads_of(topology, "->")) EXPECT_NEAR(load, 448.0, 6 * 18.4);
  EXPECT_GT(loads_of(topology, "->").size(), 1U);
  spec.choice.seed = 4;
  EXPECT_NE(loads_of(build_fat_tree(spec), "->"), loads_of(topology, "->"));
}

TEST(BuildCluster, HasTheLinksOfItsRails) {
  const ClusterSpec spec = cluster_of(4, 4, Rails::kOptimised, true, 2, 2);
  const Topology topology = build_cluster(spec);
  // Per GPU NVLink, GPU-NIC and NIC-leaf; 4 rails x 2 leaves x 2 spines; two directions each.
  EXPECT_EQ(topology.links.size(), 2U * (16 * 3 + 16));
  // 16 ranks, 16 NICs, 4 node switches, 8 leaves, 2 spines
  EXPECT_EQ(boost::num_vertices(topology.graph), 16U + 16 + 4 + 8 + 2);
  EXPECT_EQ(bandwidth_of(topology, "rail3/leaf1->spine0"), 50_GBps);  // 2 NICs over 2 spines
  EXPECT_EQ(bisection_of(spec), 400_GBps);                            // 2 nodes x 4 NICs x 50
  EXPECT_EQ(topology.scale_up_domain[7], 1);
}

TEST(BuildCluster, KeepsARailOnItsLeaf) {
  const Topology topology = build_cluster(cluster_of(4, 4, Rails::kOptimised, true, 2, 2));
  EXPECT_THAT(names(topology, 1, 5),
              ElementsAre("rank1:nic-up", "node0/nic1:up", "node1/nic1:down", "rank5:nic-down"));
  EXPECT_THAT(names(topology, 1, 2), ElementsAre("rank1:nvlink-up", "rank2:nvlink-down"));
  // Rank 13 is on node 3, of leaf 1: node 3 mod 2 spines
  EXPECT_THAT(names(topology, 1, 13),
              ElementsAre("rank1:nic-up", "node0/nic1:up", "rail1/leaf0->spine1",
                          "spine1->rail1/leaf1", "node3/nic1:down", "rank13:nic-down"));
}

TEST(BuildCluster, ForwardsOverNvlinkToTheReceiversRail) {
  const Topology topology = build_cluster(cluster_of(4, 4, Rails::kOptimised, true, 2, 2));
  EXPECT_THAT(names(topology, 1, 6),
              ElementsAre("rank1:nvlink-up", "rank2:nvlink-down", "rank2:nic-up", "node0/nic2:up",
                          "node1/nic2:down", "rank6:nic-down"));
}

TEST(BuildCluster, CrossesASpineToAnotherRailWithoutForwarding) {
  const Topology topology = build_cluster(cluster_of(4, 4, Rails::kOptimised, false, 2, 2));
  EXPECT_THAT(names(topology, 1, 6),
              ElementsAre("rank1:nic-up", "node0/nic1:up", "rail1/leaf0->spine1",
                          "spine1->rail2/leaf0", "node1/nic2:down", "rank6:nic-down"));
}

TEST(BuildCluster, KeepsANodeOnItsLeafWithPlainRails) {
  const Topology topology = build_cluster(cluster_of(4, 4, Rails::kPlain, false, 2, 4));
  EXPECT_THAT(names(topology, 1, 6),
              ElementsAre("rank1:nic-up", "node0/nic1:up", "node1/nic2:down", "rank6:nic-down"));
  // Host 9 of the fabric: 9 mod 4 spines
  EXPECT_THAT(names(topology, 1, 9),
              ElementsAre("rank1:nic-up", "node0/nic1:up", "leaf0->spine1", "spine1->leaf1",
                          "node2/nic1:down", "rank9:nic-down"));
}

TEST(BuildCluster, SharesNics) {
  ClusterSpec spec = cluster_of(2, 8, Rails::kOptimised, true, 1, 0);
  spec.nics_per_node = 4;
  const Topology topology = build_cluster(spec);
  // GPUs 2 and 3 of a node share NIC 1, so both send over it without NVLink.
  EXPECT_THAT(names(topology, 2, 11),
              ElementsAre("rank2:nic-up", "node0/nic1:up", "node1/nic1:down", "rank11:nic-down"));
}

TEST(BuildCluster, IsSymmetricInNodesAndRails) {
  const Topology topology = build_cluster(cluster_of(4, 4, Rails::kOptimised, true, 2, 2));
  ASSERT_TRUE(topology.symmetry.has_value());
  EXPECT_EQ(topology.symmetry->orbit_size, 16);
}

TEST(BuildCluster, NamesCountsThatDoNotFit) {
  ClusterSpec spec = cluster_of(4, 8, Rails::kOptimised, true, 3, 0);
  spec.nics_per_node = 3;
  const std::string text = error_of(spec);
  EXPECT_THAT(text, HasSubstr("nics_per_node: expected a divisor of the node's 8 ranks, got 3"));
  EXPECT_THAT(text, HasSubstr("fabric.leaves: expected a divisor of the 4 nodes, got 3"));
  EXPECT_THAT(text, HasSubstr("fabric.spines: expected at least 1 to join the 9 leaves"));
  EXPECT_THAT(error_of(cluster_of(1024, 8, Rails::kPlain, false, 1, 0)),
              HasSubstr("at most 4096 ranks are supported, this has 1024 x 8"));
}

TEST(BuildHierarchy, JoinsCopiesOverPorts) {
  const HierarchySpec spec{
      .inside = part(node_of(4)), .outside = part(two_tiers(2, 1, 2, 1.0)), .port = link_of(6.25)};
  const Topology topology = build_hierarchy(spec);
  EXPECT_EQ(num_ranks(topology), 8);
  // Inside 8 links a copy; outside 2 x (2 hosts + 4 uplinks); 16 ports.
  EXPECT_EQ(topology.links.size(), 2U * 8 + 12 + 16);
  EXPECT_THAT(names(topology, 1, 2), ElementsAre("node0/rank1:up", "node0/rank2:down"));
  EXPECT_THAT(names(topology, 5, 6), ElementsAre("node1/rank1:up", "node1/rank2:down"));
  EXPECT_THAT(names(topology, 1, 6),
              ElementsAre("rank1:port-up", "outside/rank0:up", "outside/leaf0->spine1",
                          "outside/spine1->leaf1", "outside/rank1:down", "rank6:port-down"));
  EXPECT_THAT(topology.scale_up_domain, ElementsAre(0, 0, 0, 0, 1, 1, 1, 1));
  EXPECT_EQ(bisection_of(spec), 25_GBps);  // 4 ports of 6.25 GB/s
}

TEST(BuildGraph, TakesTheFewestLinks) {
  const Topology topology = build_graph(ring_graph(6, Duplex::kFull));
  EXPECT_EQ(topology.links.size(), 12U);
  EXPECT_THAT(names(topology, 0, 2), ElementsAre("n0->n1", "n1->n2"));
  EXPECT_THAT(names(topology, 0, 4), ElementsAre("n0->n5", "n5->n4"));
  EXPECT_EQ(bisection_of(ring_graph(6, Duplex::kFull)), 20_GBps);
}

TEST(BuildGraph, SharesAHalfDuplexLink) {
  const Topology topology = build_graph(ring_graph(3, Duplex::kHalf));
  EXPECT_EQ(topology.links.size(), 3U);
  EXPECT_EQ(path(topology, RankId{0}, RankId{1}), path(topology, RankId{1}, RankId{0}));
  // both messages of the pair on the one link
  EXPECT_NEAR(uniform_all_to_all_bound(topology, 10_MB).base(), 2e-3, 1e-12);
}

TEST(BuildGraph, NamesEveryProblem) {
  GraphSpec spec = ring_graph(3, Duplex::kFull);
  spec.nodes[2].name = "n1";
  spec.links[0].link.bandwidth = BytesPerSecond{0};
  spec.links.push_back(spec.links[0]);
  const std::string text = error_of(spec);
  EXPECT_THAT(text, HasSubstr("nodes[2].name: another node is already named \"n1\""));
  EXPECT_THAT(text, HasSubstr("links[1].to: no node is named \"n2\""));
  EXPECT_THAT(text, HasSubstr("links[0].bandwidth: must be positive"));
  EXPECT_THAT(text, HasSubstr("links[3]: \"n0\" and \"n1\" are linked already"));
  GraphSpec apart = ring_graph(3, Duplex::kFull);
  apart.links.resize(1);
  EXPECT_THAT(error_of(apart),
              HasSubstr("links: no path leads from rank 0 (\"n0\") to rank 2 (\"n2\")"));
}

TEST(BuildDegraded, SlowsLinksWithoutMovingPaths) {
  const DegradedSpec spec{.network = part(two_tiers(4, 4, 2, 1.0)),
                          .links = {{.link = "leaf0->spine1", .bandwidth_factor = 0.5}},
                          .failed_switches = {}};
  const Topology topology = build_degraded(spec);
  EXPECT_EQ(bandwidth_of(topology, "leaf0->spine1"), 50_GBps);
  EXPECT_EQ(bandwidth_of(topology, "spine1->leaf0"), 50_GBps);
  EXPECT_EQ(bandwidth_of(topology, "leaf0->spine0"), 100_GBps);
  EXPECT_EQ(num_rerouted_pairs(spec), 0);
  // 24 messages on the slow link: 24 x 100 MB / 50 GB/s
  EXPECT_NEAR(uniform_all_to_all_bound(topology, 100_MB).base(), 48e-3, 1e-12);
}

TEST(BuildDegraded, TakesTheSurvivingSpine) {
  const DegradedSpec spec = without_link(two_tiers(4, 4, 2, 1.0), "leaf0->spine1");
  const Topology topology = build_degraded(spec);
  EXPECT_EQ(topology.links.size(), 2U * 24 - 2);
  EXPECT_THAT(names(topology, 0, 5),
              ElementsAre("rank0:up", "leaf0->spine0", "spine0->leaf1", "rank5:down"));
  EXPECT_THAT(names(topology, 4, 9),  // as built
              ElementsAre("rank4:up", "leaf1->spine1", "spine1->leaf2", "rank9:down"));
  // Out of leaf 0: 4 hosts to 6 of 12 others by spine 1; as many back, by destinations of leaf 0
  // with odd numbers: 12 x 2.
  EXPECT_EQ(num_rerouted_pairs(spec), 4 * 6 + 12 * 2);
}

TEST(BuildDegraded, GoesAroundAFailedCableOfATorus) {
  const DegradedSpec spec = without_link(torus_of({4, 1}, link_of(100)), "router(0,0)+x");
  EXPECT_THAT(
      names(build_degraded(spec), 0, 1),
      ElementsAre("rank0:up", "router(0,0)-x", "router(3,0)-x", "router(2,0)-x", "rank1:down"));
}

TEST(BuildDegraded, UsesAnotherGpusNicOnlyWhereGpusForward) {
  DegradedSpec spec{.network = part(cluster_of(2, 4, Rails::kOptimised, true, 1, 0)),
                    .links = {},
                    .failed_switches = {"node0/nic1"}};
  EXPECT_EQ(names(build_degraded(spec), 1, 5).size(), 8U);  // NVLink on both sides
  spec.network = part(cluster_of(2, 4, Rails::kOptimised, false, 1, 2));
  EXPECT_THAT(error_of(spec), HasSubstr("the failures leave no path from rank 1 to rank 4"));
}

TEST(BuildDegraded, NamesWhatIsNotThere) {
  DegradedSpec spec = without_link(node_of(2), "rank0:upp");
  spec.failed_switches = {"switchh"};
  EXPECT_THAT(error_of(spec), HasSubstr("links[0]: no link is named \"rank0:upp\""));
  EXPECT_THAT(error_of(spec), HasSubstr("failed_switches[0]: no switch is named \"switchh\""));
  EXPECT_THAT(error_of(without_link(node_of(3), "rank1:up")),
              HasSubstr("the failures leave no path from rank 0 to rank 1"));
}

TEST(BuildTorus, BalancesThreeDimensionsWhenTiesAreSplit) {
  // Ring of 4: k floor(k^2/4) = 16 steps over 8 links: 2 each, times 4 x 4 destinations of the
  // other dimensions: 32 messages on every cable. All forwards: 3 forwards, 1 back: 48 and 16.
  TorusSpec spec = torus_of({4, 4, 4}, link_of(45));
  for (const char* axis : {"x", "y", "z"})
    EXPECT_THAT(loads_of(build_torus(spec), axis), ElementsAre(32)) << axis;
  spec.tie = TieBreak::kFixed;
  const Topology fixed = build_torus(spec);
  EXPECT_THAT(loads_of(fixed, "+z"), ElementsAre(48));
  EXPECT_THAT(loads_of(fixed, "-z"), ElementsAre(16));
}

TEST(BuildTorus, MatchesThePublishedBisectionOfATpuV4Pod) {
  // 16 x 16 rings x 2 cables x 45 GB/s = 23 TB/s; the documentation says 24 TB/s.
  EXPECT_NEAR(bisection_of(torus_of({16, 16, 16}, link_of(45))).base(), 23.04e12, 1.0);
}

}  // namespace
}  // namespace switchyard
