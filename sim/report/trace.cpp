#include "sim/report/trace.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "sim/core/error.hpp"
#include "sim/core/version.hpp"
#include "sim/report/stage_trace.hpp"
#include "sim/report/trace_events.hpp"

namespace switchyard {
namespace {

/// Tracks of a rank, in the order shown. Thread ids are kLanes apart, which leaves room for tasks
/// that overlap.
enum class Track { kLayers, kCompute, kNetwork };
constexpr int kLanes = 100;

std::string_view track_name(Track track) {
  switch (track) {
    case Track::kLayers:
      return "layers";
    case Track::kCompute:
      return "compute";
    case Track::kNetwork:
      return "network";
  }
  return "";
}

/// A bar of a track; `label` is everything of the event but its place and time, as JSON members.
struct Slice {
  std::int64_t start = 0;  ///< ns
  std::int64_t end = 0;    ///< ns
  const std::string* label = nullptr;
  std::int64_t waiting_until = 0;  ///< ns; at most `start` when it did not wait
};

/// Colours of chrome://tracing's fixed palette; the other classes get theirs from their name.
std::string_view colour_member(std::string_view category) {
  if (category == class_name(OperatorClass::kAllToAll)) return R"(,"cname":"terrible")";
  if (category == class_name(OperatorClass::kAllReduce)) return R"(,"cname":"bad")";
  return "";
}

std::string label_of(const Task& task) {
  const std::string category = trace_string(task.category);
  const std::string work =
      is_collective(task)
          ? fmt::format(R"("sent_bytes":{})", trace_number(task.bytes.base()))
          : fmt::format(R"("flop":{},"memory_bytes":{})", trace_number(task.flop.base()),
                        trace_number(task.bytes.base()));
  return fmt::format(R"("name":{},"cat":{}{},"args":{{"class":{},{}}})", trace_string(task.name),
                     category, colour_member(task.category), category, work);
}

/// "encoder.3.experts.wi.forward" -> "encoder.3.experts": up to the part after the layer's number.
/// Without a number all but the last of several parts: "encoder.embedding.forward" ->
/// "encoder.embedding".
std::string_view block_of(std::string_view name) {
  const std::size_t second = name.find('.') + 1;  // 0 without a point
  if (second == 0) return name;
  if (second == name.size() || std::isdigit(static_cast<unsigned char>(name[second])) == 0)
    return name.substr(0, name.rfind('.'));
  const std::size_t after_number = name.find('.', second);
  if (after_number == std::string_view::npos) return name;
  return name.substr(0, name.find('.', after_number + 1));
}

/// Neighbouring tasks [first, last] of one block.
struct Layer {
  std::size_t first = 0;
  std::size_t last = 0;
  std::string label;
};

std::string label_of_layer(const std::vector<Task>& tasks, const Layer& layer) {
  std::string name{block_of(tasks[layer.first].name)};
  const auto any_named = [&](std::string_view ending) {
    for (std::size_t i = layer.first; i <= layer.last; ++i)
      if (tasks[i].name.ends_with(ending)) return true;
    return false;
  };
  if (any_named(".forward"))
    name += " forward";
  else if (any_named(".backward") || any_named("gradient"))
    name += " backward";
  return fmt::format(R"("name":{},"cat":"layer","args":{{"tasks":{}}})", trace_string(name),
                     layer.last - layer.first + 1);
}

std::vector<Layer> layers_of(const std::vector<Task>& tasks) {
  std::vector<Layer> layers;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (layers.empty() || block_of(tasks[i].name) != block_of(tasks[layers.back().first].name))
      layers.push_back({.first = i, .last = i, .label = {}});
    layers.back().last = i;
  }
  for (Layer& layer : layers) layer.label = label_of_layer(tasks, layer);
  return layers;
}

/// Writes the events of a trace, one at a time.
class TraceWriter {
 public:
  explicit TraceWriter(const TrainingResult& result, std::ostream& out)
      : result_{&result}, out_{&out}, events_{out}, layers_{layers_of(result.tasks.tasks)} {
    for (const Task& task : result.tasks.tasks) labels_.push_back(label_of(task));
    find_last_entries();
  }

  void write(int num_ranks, const TraceOptions& options) {
    const BuildInfo build = build_info();
    std::string names;
    const auto add_name = [&](std::string_view key, const std::string& name) {
      if (!name.empty()) names += fmt::format(R"("{}":{},)", key, trace_string(name));
    };
    add_name("experiment", options.experiment);
    add_name("case", options.case_name);
    add_name("engine", options.engine);
    if (options.seed) names += fmt::format(R"("seed":{},)", *options.seed);
    if (result_->pipeline)
      names += fmt::format(R"("passes_in_stage":{},"passes_shown":{},)",
                           result_->pipeline->schedule.of_stage.at(0).size(),
                           shown_passes(*result_->pipeline, 0));
    *out_ << fmt::format(R"({{"displayTimeUnit":"ms","otherData":{{"switchyard":{},"git_hash":{},)"
                         R"({}"ranks":{},"ranks_shown":{},)"
                         R"("microbatches_in_step":{},"microbatches_shown":1}},"traceEvents":[)",
                         trace_string(std::string{build.version}),
                         trace_string(std::string{build.git_hash}), names, result_->num_ranks,
                         num_ranks, result_->num_microbatches);
    for (int rank = 0; rank < num_ranks; ++rank) write_rank(rank);
    write_stages(*result_, result_->timeline.num_ranks, events_);
    *out_ << "\n]}\n";
  }

 private:
  [[nodiscard]] const Span& span(std::size_t task, int rank) const {
    return result_->timeline.spans[task * static_cast<std::size_t>(result_->timeline.num_ranks) +
                                   static_cast<std::size_t>(rank)];
  }

  /// When the last rank entered each collective.
  void find_last_entries() {
    for (std::size_t task = 0; task < labels_.size(); ++task) {
      Seconds last;
      for (int rank = 0; rank < result_->timeline.num_ranks; ++rank)
        last = std::max(last, span(task, rank).start);
      last_entries_.push_back(trace_nanoseconds(last));
    }
  }

  void write_rank(int rank) {
    events_.name_process(rank, fmt::format("rank {}", rank));
    write_track(rank, Track::kLayers, layer_slices(rank));
    const std::vector<Task>& tasks = result_->tasks.tasks;
    std::vector<Slice> compute;
    std::vector<Slice> network;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const Span& shown = span(i, rank);
      Slice slice{.start = trace_nanoseconds(shown.start),
                  .end = trace_nanoseconds(shown.end),
                  .label = &labels_[i],
                  .waiting_until = 0};
      if (is_collective(tasks[i])) slice.waiting_until = std::min(last_entries_[i], slice.end);
      (is_collective(tasks[i]) ? network : compute).push_back(slice);
    }
    write_track(rank, Track::kCompute, std::move(compute));
    write_track(rank, Track::kNetwork, std::move(network));
  }

  [[nodiscard]] std::vector<Slice> layer_slices(int rank) const {
    std::vector<Slice> slices;
    for (const Layer& layer : layers_) {
      Slice slice{.start = trace_nanoseconds(span(layer.first, rank).start),
                  .end = 0,
                  .label = &layer.label,
                  .waiting_until = 0};
      for (std::size_t i = layer.first; i <= layer.last; ++i) {
        slice.start = std::min(slice.start, trace_nanoseconds(span(i, rank).start));
        slice.end = std::max(slice.end, trace_nanoseconds(span(i, rank).end));
      }
      slices.push_back(slice);
    }
    return slices;
  }

  /// Bars of one track must not overlap in part: a slice goes to the first lane that is free.
  void write_track(int rank, Track track, std::vector<Slice> slices) {
    std::stable_sort(slices.begin(), slices.end(),
                     [](const Slice& a, const Slice& b) { return a.start < b.start; });
    std::vector<std::int64_t> free_from;
    for (const Slice& slice : slices) {
      const auto free = std::find_if(free_from.begin(), free_from.end(),
                                     [&](std::int64_t time) { return time <= slice.start; });
      const auto lane = static_cast<int>(free - free_from.begin());
      if (free == free_from.end()) {
        free_from.push_back(slice.end);
        write_lane_name(rank, track, lane);
      } else {
        *free = slice.end;
      }
      const int thread = thread_id(track, lane);
      events_.slice(rank, thread, slice.start, slice.end, *slice.label);
      if (slice.waiting_until > slice.start)
        events_.slice(rank, thread, slice.start, slice.waiting_until,
                      R"("name":"waiting for the last rank","cat":"waiting","cname":"grey")");
    }
  }

  static int thread_id(Track track, int lane) { return static_cast<int>(track) * kLanes + lane; }

  void write_lane_name(int rank, Track track, int lane) {
    SWITCHYARD_CHECK(lane < kLanes, "{} tasks of rank {} at once", lane + 1, rank);
    const int thread = thread_id(track, lane);
    const std::string suffix = lane == 0 ? "" : fmt::format(" {}", lane + 1);
    events_.metadata(rank, thread, "thread_name",
                     fmt::format(R"("name":"{}{}")", track_name(track), suffix));
    events_.metadata(rank, thread, "thread_sort_index", fmt::format(R"("sort_index":{})", thread));
  }

  const TrainingResult* result_;
  std::ostream* out_;
  TraceEvents events_;
  std::vector<Layer> layers_;
  std::vector<std::string> labels_;         ///< by task
  std::vector<std::int64_t> last_entries_;  ///< ns, by task
};

}  // namespace

void write_trace(const TrainingResult& result, std::ostream& out, const TraceOptions& options) {
  const int ranks = result.timeline.num_ranks;
  SWITCHYARD_CHECK(
      result.timeline.spans.size() == result.tasks.tasks.size() * static_cast<std::size_t>(ranks),
      "{} spans of {} tasks on {} ranks", result.timeline.spans.size(), result.tasks.tasks.size(),
      ranks);
  const auto tasks = std::max<std::size_t>(result.tasks.tasks.size(), 1);
  const int affordable = static_cast<int>(std::max<std::size_t>(kMaxTracedSpans / tasks, 1));
  TraceWriter{result, out}.write(std::clamp(options.max_ranks.value_or(affordable), 0, ranks),
                                 options);
}

}  // namespace switchyard
