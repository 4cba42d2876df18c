#include "sim/engine/class_shares.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace switchyard {
namespace {

OperatorClass class_of(const StepNode& node) {
  return std::visit([](const auto& n) { return n.operator_class; }, node);
}

/// When a rank computes, in order of time.
class ComputeSpans {
 public:
  ComputeSpans(const ExecutedGraph& executed, RankId rank) {
    const auto ranks = static_cast<std::size_t>(executed.timeline.num_ranks);
    for (std::size_t task = 0; task < executed.tasks.tasks.size(); ++task)
      if (!is_collective(executed.tasks.tasks[task]))
        spans_.push_back(executed.timeline.spans[task * ranks + rank.index()]);
    std::ranges::stable_sort(spans_, {}, &Span::start);
  }

  /// How much of [start, end] the rank computes.
  [[nodiscard]] Seconds within(Seconds start, Seconds end) const {
    auto span = std::ranges::upper_bound(spans_, start, {}, &Span::end);
    Seconds sum;
    for (; span != spans_.end() && span->start < end; ++span)
      sum += std::max(Seconds{}, std::min(end, span->end) - std::max(start, span->start));
    return sum;
  }

 private:
  std::vector<Span> spans_;
};

void add_sources(const TimeSources& part, double times, TimeSources& sum) {
  for (std::size_t i = 0; i < part.by_provenance.size(); ++i)
    sum.by_provenance.at(i) += times * part.by_provenance.at(i);
  sum.low += times * part.low;
  sum.high += times * part.high;
}

TimeSources sources_of(Seconds time, const TimeEvidence& evidence) {
  TimeSources sources{.low = evidence.low * time, .high = evidence.high * time};
  sources.by_provenance.at(static_cast<std::size_t>(evidence.provenance)) = time;
  return sources;
}

}  // namespace

RankId busiest_rank(const TaskGraph& tasks, int num_ranks) {
  std::vector<Seconds> sums(static_cast<std::size_t>(num_ranks));
  for (const Task& task : tasks.tasks)
    if (!task.rank_slowdown.empty())
      for (std::size_t rank = 0; rank < sums.size(); ++rank)
        sums[rank] += task.rank_slowdown[rank] * task.duration;
  return RankId{static_cast<std::int32_t>(std::ranges::max_element(sums) - sums.begin())};
}

void add_class_shares(const ExecutedGraph& executed, RankId rank, double microbatches,
                      ClassShares& shares) {
  const auto ranks = static_cast<std::size_t>(executed.timeline.num_ranks);
  const ComputeSpans compute{executed, rank};
  Seconds communicated;  // until then another collective is counted already
  std::size_t task = 0;
  const auto add = [&](const std::vector<StepNode>& nodes, double times) {
    for (const StepNode& node : nodes) {
      const auto spans = std::span{executed.timeline.spans}.subspan(task * ranks, ranks);
      const Task& priced = executed.tasks.tasks[task++];
      const Span& own = spans[rank.index()];
      ClassShare& share = shares.at(static_cast<std::size_t>(class_of(node)));
      if (!is_collective(priced)) {
        share.flop += times * priced.flop;
        share.memory += times * priced.bytes;
        share.time += times * (own.end - own.start);
        add_sources(sources_of(own.end - own.start, priced.evidence), times, share.sources);
        continue;
      }
      Seconds start = std::min(std::ranges::max(spans, {}, &Span::start).start, own.end);
      const Seconds all = own.end - start;
      start = std::max(start, std::min(communicated, own.end));
      communicated = std::max(communicated, own.end);
      const Seconds exposed = (own.end - start) - compute.within(start, own.end);
      share.time += times * exposed;
      add_sources(sources_of(exposed, priced.evidence), times, share.sources);
      share.hidden += times * (all - exposed);
      share.sent += times * priced.bytes;
      share.bound +=
          times * executed.tasks.schedules[static_cast<std::size_t>(priced.schedule)].proven_bound;
    }
  };
  add(executed.graph.microbatch, microbatches);
  add(executed.graph.update, 1.0);
}

void add_shares(const ClassShares& part, double times, ClassShares& sum) {
  for (std::size_t i = 0; i < part.size(); ++i) {
    sum.at(i).time += times * part.at(i).time;
    sum.at(i).hidden += times * part.at(i).hidden;
    sum.at(i).bound += times * part.at(i).bound;
    sum.at(i).flop += times * part.at(i).flop;
    sum.at(i).memory += times * part.at(i).memory;
    sum.at(i).sent += times * part.at(i).sent;
    add_sources(part.at(i).sources, times, sum.at(i).sources);
  }
}

void set_time(ClassShare& share, Seconds time) {
  TimeSources scaled;
  if (share.time > Seconds{}) add_sources(share.sources, time / share.time, scaled);
  share.sources = scaled;
  share.time = time;
}

ClassShares difference(const ClassShares& whole, const ClassShares& part) {
  ClassShares rest = whole;
  add_shares(part, -1.0, rest);
  return rest;
}

std::vector<ClassShare> shares_that_occur(const ClassShares& shares) {
  std::vector<ClassShare> occurring;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    ClassShare share = shares.at(i);
    share.operator_class = static_cast<OperatorClass>(i);
    if (share.time + share.hidden > Seconds{}) occurring.push_back(share);
  }
  return occurring;
}

}  // namespace switchyard
