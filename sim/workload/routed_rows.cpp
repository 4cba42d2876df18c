#include "sim/workload/routed_rows.hpp"

#include <algorithm>

#include "sim/core/error.hpp"

namespace switchyard {

LayerRows layer_rows(const RoutingDraw& draw, const ExpertPlacement& placement) {
  const Eigen::Index ranks = draw.kept.rows();
  SWITCHYARD_CHECK(
      placement.num_ranks == ranks && std::ssize(placement.ranks_of) == draw.kept.cols(),
      "a placement of {} experts on {} ranks for a draw of {} on {}", placement.ranks_of.size(),
      placement.num_ranks, draw.kept.cols(), ranks);
  LayerRows rows{
      .between_ranks = TokenCounts::Zero(ranks, ranks),
      .of_experts = std::vector<std::vector<std::int64_t>>(static_cast<std::size_t>(ranks))};
  for (int expert = 0; expert < draw.kept.cols(); ++expert) {
    for (const RankId holder : placement.ranks_of[static_cast<std::size_t>(expert)])
      rows.of_experts[holder.index()].push_back(0);
    for (int source = 0; source < ranks; ++source) {
      const std::int64_t kept = draw.kept(source, expert);
      if (kept == 0) continue;
      const RankId holder = replica_for(placement, expert, RankId{source});
      rows.between_ranks(source, holder.value()) += kept;
      rows.of_experts[holder.index()].back() += kept;
    }
  }
  return rows;
}

std::vector<std::int64_t> sent_rows(const LayerRows& rows) {
  const auto sums = rows.between_ranks.rowwise().sum().eval();
  return {sums.begin(), sums.end()};
}

std::vector<std::int64_t> received_rows(const LayerRows& rows) {
  const auto sums = rows.between_ranks.colwise().sum().eval();
  return {sums.begin(), sums.end()};
}

double rank_imbalance(const LayerRows& rows) {
  const std::vector<std::int64_t> received = received_rows(rows);
  const auto total = static_cast<double>(rows.between_ranks.sum());
  if (total == 0.0) return 1.0;
  return static_cast<double>(std::ranges::max(received)) * static_cast<double>(received.size()) /
         total;
}

Tensor with_rows(Tensor tensor, std::int64_t rows) {
  if (tensor.is_routed) tensor.rows = rows;
  return tensor;
}

void set_rows(Operator& op, std::int64_t rows_of_share) {
  const std::int64_t rows = (rows_of_share + op.routed.split - 1) / op.routed.split;
  if (op.matmul.routed == RoutedDimension::kRows) op.matmul.rows = rows;
  if (op.matmul.routed == RoutedDimension::kContraction) op.matmul.contraction = rows;
  if (op.kernel && op.kernel->has_routed_rows) op.kernel->sizes.front() = rows;
  for (Traffic& traffic : op.traffic) traffic.tensor = with_rows(traffic.tensor, rows);
  for (Tensor& tensor : op.saved) tensor = with_rows(tensor, rows);
}

Operator one_expert(const Operator& op) {
  SWITCHYARD_CHECK(op.routed.rows == RoutedRows::kOfEachExpert && op.matmul.batch > 0,
                   "'{}' is no kernel over experts", op.name);
  Operator one = op;
  for (Traffic& traffic : one.traffic) traffic.tensor.outer /= op.matmul.batch;
  for (Tensor& tensor : one.saved) tensor.outer /= op.matmul.batch;
  one.matmul.batch = 1.0;
  return one;
}

}  // namespace switchyard
