#include "sim/report/trace.hpp"

#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace switchyard {
namespace {

using namespace literals;
using nlohmann::json;
using testing::ElementsAre;

/// Two ranks. Rank 0 computes for 1 ms and rank 1 for 1.5 ms; both then exchange until 2 ms and
/// update their weights until 2.25 ms.
TrainingResult exchange_after_unequal_work() {
  TrainingResult result;
  result.num_microbatches = 3;
  result.tasks.tasks.resize(3);
  auto& tasks = result.tasks.tasks;
  tasks[0].name = "encoder.0.moe.experts.wi.forward";
  tasks[0].category = "experts";
  tasks[0].flop = 2_GFLOP;
  tasks[0].bytes = 1_MB;
  tasks[1].name = "encoder.0.moe.combine.forward";
  tasks[1].category = "all-to-all";
  tasks[1].schedule = 0;
  tasks[1].bytes = 3_MB;
  tasks[2].name = "optimizer";
  tasks[2].category = "optimizer";
  result.num_ranks = 2;
  result.timeline.num_ranks = 2;
  result.timeline.spans = {
      {TaskId{0}, RankId{0}, 0_ms, 1_ms},    {TaskId{0}, RankId{1}, 0_ms, 1.5_ms},
      {TaskId{1}, RankId{0}, 1_ms, 2_ms},    {TaskId{1}, RankId{1}, 1.5_ms, 2_ms},
      {TaskId{2}, RankId{0}, 2_ms, 2.25_ms}, {TaskId{2}, RankId{1}, 2_ms, 2.25_ms}};
  result.timeline.makespan = 2.25_ms;
  return result;
}

std::string text_of(const TrainingResult& result, const TraceOptions& options = {}) {
  std::ostringstream out;
  write_trace(result, out, options);
  return out.str();
}

std::vector<json> events_of(const json& trace, const std::string& kind) {
  std::vector<json> events;
  for (const json& event : trace["traceEvents"])
    if (event["ph"] == kind) events.push_back(event);
  return events;
}

TEST(WriteTrace, HasATrackForLayersComputeAndNetworkOfEachRank) {
  const json trace = json::parse(text_of(exchange_after_unequal_work()));
  std::vector<std::string> names;
  for (const json& event : events_of(trace, "M"))
    if (event["args"].contains("name")) names.push_back(event["args"]["name"]);
  EXPECT_THAT(names, ElementsAre("rank 0", "layers", "compute", "network", "rank 1", "layers",
                                 "compute", "network"));
}

TEST(WriteTrace, HasAnEventForEachTaskLayerAndWait) {
  const json trace = json::parse(text_of(exchange_after_unequal_work()));
  // On each rank 3 tasks and 2 layers (encoder.0.moe, optimizer); rank 0 waits once.
  EXPECT_EQ(events_of(trace, "X").size(), 2 * (3 + 2) + 1U);
  EXPECT_EQ(trace["otherData"]["microbatches_in_step"], 3);
}

TEST(WriteTrace, SaysWhatATaskDidAndWhen) {
  const json trace = json::parse(text_of(exchange_after_unequal_work()));
  const auto events = events_of(trace, "X");
  // Rank 0: two layers, two compute tasks, the collective and the wait within it.
  EXPECT_EQ(events[0]["name"], "encoder.0.moe forward");
  EXPECT_EQ(events[0]["dur"], 2000.0);  // us: both tasks of the layer
  EXPECT_EQ(events[1]["name"], "optimizer");
  EXPECT_EQ(events[2]["args"], json::parse(R"({"class": "experts", "flop": 2e9,
                                               "memory_bytes": 1e6})"));
  const json& exchange = events[4];
  EXPECT_EQ(exchange["cat"], "all-to-all");
  EXPECT_EQ(exchange["ts"], 1000.0);
  EXPECT_EQ(exchange["dur"], 1000.0);
  EXPECT_EQ(exchange["args"], json::parse(R"({"class": "all-to-all", "sent_bytes": 3e6})"));
}

TEST(WriteTrace, NamesALayerByBlockAndPhase) {
  TrainingResult result = exchange_after_unequal_work();
  const auto first_layer = [&](const std::string& first, const std::string& second) {
    result.tasks.tasks[0].name = first;
    result.tasks.tasks[1].name = second;
    const json trace = json::parse(text_of(result, {.max_ranks = 1}));
    return events_of(trace, "X")[0]["name"].get<std::string>();
  };
  EXPECT_EQ(first_layer("decoder.11.moe.norm.backward", "decoder.11.moe.wi.accumulate"),
            "decoder.11.moe backward");
  EXPECT_EQ(first_layer("encoder.embedding.forward", "encoder.0.attention.norm.forward"),
            "encoder.embedding forward");
  EXPECT_EQ(first_layer("logits.input_gradient", "logits.weight_gradient"), "logits backward");
  EXPECT_EQ(first_layer("loss", "logits.weight_gradient"), "loss");
}

TEST(WriteTrace, ShowsTheWaitForTheLastRankWithinTheCollective) {
  const json trace = json::parse(text_of(exchange_after_unequal_work()));
  std::vector<json> waits;
  for (const json& event : events_of(trace, "X"))
    if (event["cat"] == "waiting") waits.push_back(event);
  ASSERT_EQ(waits.size(), 1U);  // rank 1 is the last and does not wait
  EXPECT_EQ(waits[0]["pid"], 0);
  EXPECT_EQ(waits[0]["ts"], 1000.0);
  EXPECT_EQ(waits[0]["dur"], 500.0);  // until rank 1 enters at 1.5 ms
}

/// Starts do not decrease on a track, and an event ends before the next begins or contains it.
void expect_well_nested(const json& trace) {
  struct Open {
    double start = 0.0;
    double end = 0.0;
  };
  std::map<std::pair<int, int>, std::vector<Open>> tracks;
  for (const json& event : events_of(trace, "X")) {
    const Open next{event["ts"], event["ts"].get<double>() + event["dur"].get<double>()};
    auto& open = tracks[{event["pid"], event["tid"]}];
    while (!open.empty() && open.back().end <= next.start + 1e-6) open.pop_back();
    if (!open.empty()) {
      EXPECT_LE(open.back().start, next.start) << event;
      EXPECT_GE(open.back().end, next.end - 1e-6) << event;
    }
    open.push_back(next);
  }
}

TEST(WriteTrace, IsWellNested) {
  expect_well_nested(json::parse(text_of(exchange_after_unequal_work())));
}

TEST(WriteTrace, GivesOverlappingCollectivesTracksOfTheirOwn) {
  TrainingResult result = exchange_after_unequal_work();
  result.tasks.tasks[2].schedule = 0;
  result.timeline.spans[4].start = 1.75_ms;  // while the exchange of rank 0 runs until 2 ms
  const json trace = json::parse(text_of(result, {.max_ranks = 1}));
  expect_well_nested(trace);
  EXPECT_EQ(events_of(trace, "X").back()["tid"], 201);
  EXPECT_EQ(events_of(trace, "M").back()["tid"], 201);
}

TEST(WriteTrace, LeavesOutRanksFromMaxRanksOn) {
  const json trace = json::parse(text_of(exchange_after_unequal_work(), {.max_ranks = 1}));
  EXPECT_EQ(events_of(trace, "X").size(), 3 + 2 + 1U);  // the wait for rank 1 stays
  for (const json& event : trace["traceEvents"]) EXPECT_EQ(event["pid"], 0);
}

TEST(WriteTrace, SaysWhoseTraceItIsAndHowManyRanksItShows) {
  const json other = json::parse(text_of(exchange_after_unequal_work(), {.max_ranks = 1,
                                                                         .experiment = "tiny",
                                                                         .case_name = "sparse",
                                                                         .engine = "fluid",
                                                                         .seed = 7}))["otherData"];
  EXPECT_EQ(other["experiment"], "tiny");
  EXPECT_EQ(other["case"], "sparse");
  EXPECT_EQ(other["engine"], "fluid");
  EXPECT_EQ(other["seed"], 7);
  EXPECT_EQ(other["ranks"], 2);
  EXPECT_EQ(other["ranks_shown"], 1);
}

TEST(WriteTrace, ShowsAsManyRanksAsViewersOpen) {
  // One task on more ranks than kMaxTracedSpans: as many ranks as spans are shown.
  TrainingResult result;
  result.tasks.tasks.resize(1);
  result.timeline.num_ranks = static_cast<int>(kMaxTracedSpans) + 5;
  result.timeline.spans.resize(kMaxTracedSpans + 5);
  const std::string text = text_of(result);
  EXPECT_THAT(text, testing::HasSubstr("\"ranks_shown\":400000,"));
  EXPECT_THAT(text, testing::HasSubstr("\"pid\":399999,"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("\"pid\":400000,")));
}

TEST(WriteTrace, RoundsNeighboursToTheSameNanosecond) {
  TrainingResult result = exchange_after_unequal_work();
  for (const std::size_t span : {0U, 1U, 2U, 3U}) {
    Span& shown = result.timeline.spans[span];
    (span < 2 ? shown.end : shown.start) = Seconds{0.0010000004996};  // 1000.0004996 us
  }
  const json trace = json::parse(text_of(result, {.max_ranks = 1}));
  const auto events = events_of(trace, "X");
  EXPECT_EQ(events[2]["dur"], 1000.0);  // the task before
  EXPECT_EQ(events[4]["ts"], 1000.0);
}

TEST(WriteTrace, EscapesNames) {
  TrainingResult result = exchange_after_unequal_work();
  result.tasks.tasks[2].name = "a \"b\"\n\\";
  const json trace = json::parse(text_of(result, {.max_ranks = 1}));
  EXPECT_EQ(events_of(trace, "X")[1]["name"], "a \"b\"\n\\");
}

TEST(WriteTrace, IsEqualForEqualResults) {
  EXPECT_EQ(text_of(exchange_after_unequal_work()), text_of(exchange_after_unequal_work()));
}

/// A pipeline of one stage and one microbatch: forward until 2 ms, backward until 5, update until
/// 6. Weights of 8 B, and activations of 3 B from the start to the end of the backward pass.
TrainingResult one_stage() {
  TrainingResult result = exchange_after_unequal_work();
  PipelineResult pipeline;
  pipeline.spec = {.num_microbatches = 1};
  pipeline.schedule = pipeline_schedule(pipeline.spec);
  pipeline.run.spans = {{{.start = 0_ms, .end = 2_ms, .waited_for = {}},
                         {.start = 2_ms, .end = 5_ms, .waited_for = {}}}};
  pipeline.run.makespan = 5_ms;
  result.pipeline = pipeline;
  result.step_time = 6_ms;
  MemoryEstimate state;
  state.weights = 8_B;
  MemoryEstimate full = state;
  full.activations = 3_B;
  result.memory_over_time = {{{0_ms, full}, {2_ms, full}, {5_ms, state}}};
  return result;
}

TEST(WriteTrace, ShowsThePassesOfAStageAfterTheRanks) {
  const json trace = json::parse(text_of(one_stage(), {.max_ranks = 0}));
  std::vector<std::string> shown;
  for (const json& event : events_of(trace, "X")) {
    EXPECT_EQ(event["pid"], 2);  // ranks are 0 and 1
    shown.push_back(fmt::format("{} {} {}", event["name"].get<std::string>(),
                                event["ts"].get<double>(), event["dur"].get<double>()));
  }
  EXPECT_THAT(shown, ElementsAre("forward 0 0 2000", "backward 0 2000 3000",
                                 "gradients and update 5000 1000"));
  EXPECT_EQ(trace["otherData"]["passes_in_stage"], 2);
  EXPECT_EQ(trace["otherData"]["passes_shown"], 2);
}

TEST(WriteTrace, CountsTheBytesOfEachClassWhereTheyChange) {
  const json trace = json::parse(text_of(one_stage(), {.max_ranks = 0}));
  std::vector<std::string> shown;
  for (const json& event : events_of(trace, "C"))
    if (event["args"]["bytes"] != 0 || event["ts"] != 0.0)
      shown.push_back(fmt::format("{} {} {}", event["name"].get<std::string>(),
                                  event["ts"].get<double>(), event["args"]["bytes"].get<double>()));
  EXPECT_THAT(shown, ElementsAre("weights_bytes 0 8", "activations_bytes 0 3", "total_bytes 0 11",
                                 "activations_bytes 5000 0", "total_bytes 5000 8"));
}

TEST(WriteTrace, OfNothingIsAnEmptyTrace) {
  EXPECT_EQ(json::parse(text_of(TrainingResult{}))["traceEvents"].size(), 0U);
}

}  // namespace
}  // namespace switchyard
