#include "sim/cli/read_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/cli/data_folder.hpp"
#include "sim/cli/draw_network.hpp"
#include "sim/cli/network_facts.hpp"
#include "sim/cli/yaml_document.hpp"
#include "tests/cli/config_error_text.hpp"
#include "tests/cli/program_run.hpp"
#include "tests/topologies/network_examples.hpp"

namespace switchyard {
namespace {

using testing::AllOf;
using testing::HasSubstr;

NetworkSpec read(const std::string& text) {
  return read_document(parse_yaml(text, "net.yaml"), [](Section section) {
    NetworkSpec network = read_network(section);
    section.finish();
    return network;
  });
}

std::string error_of(const std::string& text) {
  return config_error_text([&] { return read(text); });
}

class NetworkJson : public testing::TestWithParam<NamedNetwork> {};

TEST_P(NetworkJson, IsReadBackAsTheSameNetwork) {
  const Json written = network_json(GetParam().spec);
  const NetworkSpec again = read(written.dump(2));  // JSON is YAML too
  EXPECT_EQ(network_json(again), written);
  const Topology first = build_topology(GetParam().spec);
  const Topology second = build_topology(again);
  ASSERT_EQ(first.links.size(), second.links.size());
  for (std::size_t i = 0; i < first.links.size(); ++i) {
    EXPECT_EQ(first.links[i].name, second.links[i].name);
    EXPECT_EQ(first.links[i].bandwidth, second.links[i].bandwidth);
    EXPECT_EQ(first.links[i].latency, second.links[i].latency);
  }
  for (int source = 0; source < num_ranks(first); ++source)
    for (int destination = 0; destination < num_ranks(first); ++destination)
      EXPECT_EQ(path(first, RankId{source}, RankId{destination}),
                path(second, RankId{source}, RankId{destination}));
}

TEST_P(NetworkJson, FitsATerminalWhenDrawnAndDescribed) {
  const std::string text =
      draw_network(GetParam().spec) + facts_text(network_facts(GetParam().spec));
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    EXPECT_LE(end - begin, 100U) << text.substr(begin, end - begin);
    begin = end + 1;
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, NetworkJson, testing::ValuesIn(network_examples()),
                         [](const auto& network) { return network.param.name; });

TEST(ReadNetwork, LetsADimensionDiffer) {
  const NetworkSpec network = read(
      "torus:\n"
      "  {width: 4, height: 2, depth: 3, ranks_per_router: 1, link: {bandwidth: 45 GB/s, latency: "
      "1 us},\n"
      "   z: {wrap: false, bandwidth: 25 GB/s}}\n");
  const auto& torus = std::get<TorusSpec>(network);
  ASSERT_EQ(torus.dimensions.size(), 3U);
  EXPECT_TRUE(torus.dimensions[1].wrap);
  EXPECT_FALSE(torus.dimensions[2].wrap);
  EXPECT_EQ(torus.dimensions[2].link.bandwidth, BytesPerSecond{25e9});
  EXPECT_EQ(torus.dimensions[2].link.latency, Seconds{1e-6});
}

TEST(ReadNetwork, WantsExactlyOneKind) {
  EXPECT_EQ(error_of("degraded: []\n"),
            "net.yaml:1:1: missing a network; expected one of torus, scale_up, cluster, fat_tree, "
            "fully_connected, graph, hierarchy");
  EXPECT_EQ(error_of("scale_up: {ranks: 2, port: {bandwidth: 1 GB/s, latency: 0 us}}\n"
                     "fully_connected: {ranks: 2, link: {bandwidth: 1 GB/s, latency: 0 us}}\n"),
            "net.yaml:2:1: fully_connected: expected one network, got scale_up and "
            "fully_connected");
  EXPECT_EQ(error_of("scaleup: {}\n"),
            "net.yaml:1:1: missing a network; expected one of torus, scale_up, cluster, fat_tree, "
            "fully_connected, graph, hierarchy\n"
            "net.yaml:1:1: scaleup: unknown key; did you mean \"scale_up\"?");
}

TEST(ReadNetwork, PlacesCountsThatDoNotFit) {
  EXPECT_EQ(error_of("cluster:\n"
                     "  nodes: 5\n"
                     "  node: {ranks: 8, port: {bandwidth: 450 GB/s, latency: 1 us}}\n"
                     "  nics_per_node: 3\n"
                     "  nic: {bandwidth: 400 Gbps, latency: 2 us}\n"
                     "  rails: optimised\n"
                     "  fabric: {leaves: 2, spines: 0, latency: 1 us}\n"),
            "net.yaml:4:3: cluster.nics_per_node: expected a divisor of the node's 8 ranks, got 3\n"
            "net.yaml:7:12: cluster.fabric.leaves: expected a divisor of the 5 nodes, got 2\n"
            "net.yaml:7:23: cluster.fabric.spines: expected at least 1 to join the 6 leaves");
  EXPECT_EQ(
      error_of("fat_tree:\n"
               "  {pods: 2, leaves: 64, hosts_per_leaf: 64, spines: 4, switch_latency: 1 us,\n"
               "   host_link: {bandwidth: 50 GB/s, latency: 1 us}}\n"),
      "net.yaml:2:3: fat_tree: at most 4096 ranks are supported, this has 2 x 64 x 64\n"
      "net.yaml:2:3: fat_tree.cores_per_spine: expected at least 1 to join the 2 pods");
}

TEST(ReadNetwork, PlacesProblemsOfAGraph) {
  EXPECT_EQ(error_of("graph:\n"
                     "  nodes: [{name: a}, {name: b}, {name: a}, {name: s, kind: switch}]\n"
                     "  links:\n"
                     "    - {from: a, to: s, bandwidth: 10 GB/s, latency: 1 us}\n"
                     "    - {from: a, to: t, bandwidth: 10 GB/s, latency: 1 us}\n"),
            "net.yaml:2:34: graph.nodes[2].name: another node is already named \"a\"\n"
            "net.yaml:5:17: graph.links[1].to: no node is named \"t\"");
  EXPECT_EQ(error_of("graph:\n"
                     "  nodes: [{name: a}, {name: b}]\n"
                     "  links: []\n"),
            "net.yaml:3:3: graph.links: no path leads from rank 0 (\"a\") to rank 1 (\"b\")");
  EXPECT_EQ(error_of("graph:\n"
                     "  nodes: [{name: a}, {name: b}]\n"
                     "  links: [{from: a, to: b, bandwidth: 0 GB/s, latency: 1 us}]\n"),
            "net.yaml:3:39: graph.links[0].bandwidth: expected a bandwidth with a unit, such as "
            "\"400 Gbps\" or \"50 GB/s\", got \"0 GB/s\"; it must be above zero");
}

TEST(ReadNetwork, PlacesFaults) {
  const std::string node = "scale_up: {ranks: 3, port: {bandwidth: 1 GB/s, latency: 0 us}}\n";
  EXPECT_EQ(error_of(node + "degraded:\n"
                            "  - {switch: swich, failed: true}\n"
                            "  - {link: \"rank0:upp\", bandwidth_factor: 0.5}\n"),
            "net.yaml:3:6: degraded[0].switch: no switch is named \"swich\"; `show topology "
            "--links` lists the ends of links; did you mean \"switch\"?\n"
            "net.yaml:4:6: degraded[1].link: no link is named \"rank0:upp\"; `show topology "
            "--links` lists them; did you mean \"rank0:up\"?");
  EXPECT_EQ(error_of(node + "degraded: [{link: \"rank1:up\", failed: true}]\n"),
            "net.yaml:2:1: degraded: the failures leave no path from rank 0 to rank 1");
  EXPECT_EQ(error_of(node + "degraded: [{link: \"rank1:up\"}]\n"),
            "net.yaml:2:12: degraded[0]: expected either bandwidth_factor or failed: true");
}

TEST(ReadNetwork, ReadsAHierarchyInPlace) {
  const NetworkSpec network = read(
      "hierarchy:\n"
      "  inside: {scale_up: {ranks: 4, port: {bandwidth: 450 GB/s, latency: 1 us}}}\n"
      "  outside: {fully_connected: {ranks: 3, link: {bandwidth: 50 GB/s, latency: 1 us}}}\n"
      "  port: {bandwidth: 50 GB/s, latency: 2 us}\n");
  EXPECT_EQ(num_ranks(network), 12);
}

class ShowTopology : public ProgramTest {};

TEST_F(ShowTopology, DescribesEverySystemOfTheCatalog) {
  for (const std::string& name : system_catalog().names) {
    const ProgramRun run = switchyard({"show", "topology", name});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_THAT(run.out, AllOf(HasSubstr("bisection bandwidth"), HasSubstr("diameter")));
  }
}

TEST_F(ShowTopology, WritesWhatItPrintsAsJson) {
  const std::filesystem::path out = folder() / "out";
  const ProgramRun run =
      switchyard({"show", "topology", "dgx-h100-x4", "--format", "json", "--out", out.string()});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(file_text(out / "topology.json"), run.out);
  const Json document = Json::parse(run.out);
  EXPECT_EQ(document["ranks"], 32);
  // 4 nodes: 2 x 8 NICs of 50 GB/s between the halves
  EXPECT_EQ(document["bisection_bandwidth_bytes_per_s"], 800e9);
}

TEST_F(ShowTopology, ReadsAFileThatChangesASystem) {
  const std::filesystem::path file = folder() / "mine.yaml";
  std::ofstream(file) << "base: dgx-h100-x4\n"
                         "degraded: [{switch: node1/nic2, failed: true}]\n";
  const ProgramRun run = switchyard({"show", "topology", file.string(), "--links"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  // node1/nic2 to its leaf and its GPU, both ways
  EXPECT_THAT(run.out, AllOf(HasSubstr("4 links failed, 0 slow"), HasSubstr("failed")));
}

TEST_F(ShowTopology, RefusesWhatIsNotThereAndWritesNothing) {
  const std::filesystem::path out = folder() / "out";
  const ProgramRun run = switchyard({"show", "topology", "dgx-h10", "--out", out.string()});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("no system is called \"dgx-h10\"; did you mean"));
  EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's name
void PrintTo(const NamedNetwork& network, std::ostream* out) { *out << network.name; }

}  // namespace switchyard
