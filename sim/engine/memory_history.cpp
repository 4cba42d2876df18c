#include "sim/engine/memory_history.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "cost_models/node_memory.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr std::string_view kAgain = ".again";

/// "decoder.0.experts.wi.forward.3" -> "decoder.0.experts.wi": without what says which part, pass
/// or repetition it is.
std::string_view base_name(std::string_view name) {
  const auto last_word = [&] { return name.substr(name.rfind('.') + 1); };
  const auto drop = [&] { name = name.substr(0, name.rfind('.')); };
  while (name.find('.') != std::string_view::npos &&
         (last_word() == "again" ||
          std::ranges::all_of(last_word(), [](unsigned char c) { return std::isdigit(c) != 0; })))
    drop();
  if (name.find('.') != std::string_view::npos) drop();
  return name;
}

const std::string& name_of(const StepNode& node) {
  return std::visit([](const auto& n) -> const std::string& { return n.name; }, node);
}

/// Bytes of one class that come at a date, or go (below zero).
struct Change {
  Seconds date;
  Bytes MemoryEstimate::*of_class;
  Bytes bytes;
};

/// Changes while the nodes of a microbatch run on one rank.
class MicrobatchChanges {
 public:
  MicrobatchChanges(const StepGraph& graph, const Timeline& timeline, std::size_t rank)
      : graph_{&graph}, timeline_{&timeline}, rank_{rank} {
    for (std::size_t i = 0; i < graph.microbatch.size(); ++i)
      microbatch_end_ = std::max(microbatch_end_, span(i).end);
    for (std::size_t i = graph.num_forward; i < graph.microbatch.size(); ++i) {
      Seconds& end = last_use_[base_name(name_of(graph.microbatch[i]))];
      end = std::max(end, span(i).end);
      const std::string_view name = name_of(graph.microbatch[i]);
      if (name.ends_with(kAgain))
        made_again_[name.substr(0, name.size() - kAgain.size())] = span(i).start;
    }
  }

  void add(std::size_t node, const NodeMemory& memory, std::vector<Change>& changes) const {
    const std::string& name = name_of(graph_->microbatch[node]);
    const auto hold = [&](Bytes MemoryEstimate::*of_class, Bytes bytes, Seconds from, Seconds to) {
      if (bytes == Bytes{}) return;
      changes.push_back({from, of_class, bytes});
      changes.push_back({to, of_class, -1.0 * bytes});
    };
    const auto last = last_use_.find(base_name(name));
    const Seconds freed = last != last_use_.end() ? last->second : microbatch_end_;
    const auto* op = std::get_if<Operator>(&graph_->microbatch[node]);
    const bool is_logits = op != nullptr && op->operator_class == OperatorClass::kLogits;
    hold(is_logits ? &MemoryEstimate::logits : &MemoryEstimate::activations, memory.saved,
         span(node).start, freed);
    hold(&MemoryEstimate::buffers, memory.buffers, span(node).start, span(node).end);
    if (const auto made = made_again_.find(name); made != made_again_.end())
      hold(&MemoryEstimate::recomputed, memory.recomputed, made->second, freed);
  }

 private:
  [[nodiscard]] const Span& span(std::size_t node) const {
    return timeline_->spans[node * static_cast<std::size_t>(timeline_->num_ranks) + rank_];
  }

  const StepGraph* graph_;
  const Timeline* timeline_;
  std::size_t rank_;
  Seconds microbatch_end_;
  std::map<std::string_view, Seconds> last_use_;    ///< by base name of backward nodes
  std::map<std::string_view, Seconds> made_again_;  ///< by forward node: when it is repeated
};

/// One point for each date at which something changes.
std::vector<MemoryPoint> points_of(const MemoryEstimate& state, std::vector<Change> changes,
                                   Seconds end) {
  std::ranges::stable_sort(changes, {}, &Change::date);
  std::vector<MemoryPoint> points{{Seconds{}, state}};
  for (const Change& change : changes) {
    if (points.back().date < change.date) points.push_back({change.date, points.back().held});
    points.back().held.*change.of_class += change.bytes;
  }
  if (points.back().date < end) points.push_back({end, points.back().held});
  return points;
}

}  // namespace

std::vector<MemoryPoint> memory_history(const TrainingStepSpec& spec, const StepGraph& graph,
                                        const DeviceProfile& device, const Timeline& timeline,
                                        std::span<const LayerRows> routing) {
  SWITCHYARD_CHECK(timeline.spans.size() == (graph.microbatch.size() + graph.update.size()) *
                                                static_cast<std::size_t>(timeline.num_ranks),
                   "{} spans of {} + {} nodes on {} ranks", timeline.spans.size(),
                   graph.microbatch.size(), graph.update.size(), timeline.num_ranks);
  const RowsByLayer rows = rows_by_layer(routing);
  const std::size_t rank = fullest_rank(graph.microbatch, device.memory_tile, rows).rank;
  const MicrobatchChanges microbatch{graph, timeline, rank};
  std::vector<Change> changes;
  for (std::size_t i = 0; i < graph.microbatch.size(); ++i)
    microbatch.add(i, node_memory(graph.microbatch[i], device.memory_tile, rows, rank), changes);
  return points_of(state_memory(spec), std::move(changes), timeline.makespan);
}

MemoryEstimate peak_by_class(const std::vector<MemoryPoint>& history) {
  MemoryEstimate peak;
  for (const MemoryPoint& point : history)
    for (const MemoryClass& each : kMemoryClasses)
      peak.*each.bytes = std::max(peak.*each.bytes, point.held.*each.bytes);
  return peak;
}

Bytes peak_total(const std::vector<MemoryPoint>& history) {
  Bytes peak;
  for (const MemoryPoint& point : history) peak = std::max(peak, point.held.total());
  return peak;
}

}  // namespace switchyard
