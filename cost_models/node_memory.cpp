#include "cost_models/node_memory.hpp"

#include <algorithm>

#include "cost_models/compute.hpp"

namespace switchyard {
namespace {

const Routed& routed_of(const StepNode& node) {
  return std::visit([](const auto& n) -> const Routed& { return n.routed; }, node);
}

Bytes balanced_bytes(const std::vector<Tensor>& tensors, const MemoryTile& tile) {
  Bytes total;
  for (const Tensor& tensor : tensors) total += padded_bytes(tensor, tile);
  return total;
}

Bytes drawn_bytes(const Operator& op, const RankRows& rows, const MemoryTile& tile) {
  const auto part = [&op](std::int64_t count) {
    return (count + op.routed.split - 1) / op.routed.split;
  };
  Bytes total;
  for (const Tensor& tensor : op.saved) {
    if (!tensor.is_routed) {
      total += padded_bytes(tensor, tile);
    } else if (op.routed.rows == RoutedRows::kOfEachExpert) {
      Tensor one = tensor;
      one.outer = tensor.outer / op.matmul.batch;
      for (const std::int64_t count : rows.of_experts)
        total += padded_bytes(with_rows(one, part(count)), tile);
    } else {
      const bool is_sent = op.routed.rows == RoutedRows::kSentByRank;
      total += padded_bytes(with_rows(tensor, part(is_sent ? rows.sent : rows.received)), tile);
    }
  }
  return total;
}

}  // namespace

RowsByLayer rows_by_layer(std::span<const LayerRows> routing) {
  RowsByLayer layers;
  for (const LayerRows& layer : routing) {
    const std::vector<std::int64_t> sent = sent_rows(layer);
    const std::vector<std::int64_t> received = received_rows(layer);
    layers.emplace_back();
    for (std::size_t rank = 0; rank < sent.size(); ++rank)
      layers.back().push_back(
          {.sent = sent[rank], .received = received[rank], .of_experts = layer.of_experts[rank]});
  }
  return layers;
}

bool is_routed(const StepNode& node) { return routed_of(node).rows != RoutedRows::kNone; }

NodeMemory node_memory(const StepNode& node, const MemoryTile& tile, const RowsByLayer& rows,
                       std::size_t rank) {
  const bool is_drawn = is_routed(node) && !rows.empty();
  const RankRows own =
      is_drawn ? rows.at(static_cast<std::size_t>(routed_of(node).moe_layer)).at(rank) : RankRows{};
  if (const auto* op = std::get_if<Operator>(&node))
    return {.saved = is_drawn ? drawn_bytes(*op, own, tile) : balanced_bytes(op->saved, tile),
            .recomputed = balanced_bytes(op->recomputed, tile),
            .buffers = {}};
  const auto& collective = std::get<Collective>(node);
  if (!is_routed(node)) return {};
  const auto count = static_cast<double>(own.sent + own.received);
  return {.saved = {},
          .recomputed = {},
          .buffers = is_drawn ? count * collective.row_bytes : 2.0 * collective.buffer};
}

RoutedMemory fullest_rank(std::span<const StepNode> microbatch, const MemoryTile& tile,
                          const RowsByLayer& rows) {
  std::vector<RoutedMemory> ranks(rows.empty() ? 0 : rows.front().size());
  for (const StepNode& node : microbatch) {
    if (!is_routed(node)) continue;
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
      const NodeMemory memory = node_memory(node, tile, rows, rank);
      ranks[rank].rank = rank;
      ranks[rank].saved += memory.saved;
      ranks[rank].buffers = std::max(ranks[rank].buffers, memory.buffers);
    }
  }
  if (ranks.empty()) return {};
  return *std::ranges::max_element(
      ranks, {}, [](const RoutedMemory& rank) { return rank.saved + rank.buffers; });
}

}  // namespace switchyard
