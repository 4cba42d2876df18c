#include <algorithm>
#include <span>
#include <utility>

#include "sim/core/error.hpp"
#include "sim/workload/routing/router_state.hpp"
#include "sim/workload/routing/routing_streams.hpp"
#include "sim/workload/routing/temporal_chain.hpp"
#include "sim/workload/routing/token_gate.hpp"

namespace switchyard {
namespace {

/// What one layer's tokens of a rank need from block to block.
struct LayerTokens {
  std::mt19937_64 rng;
  TokenGate gate;
  LastChoices last{};  ///< of a temporal router
};

/// Where the rows of a block go.
struct Rows {
  std::span<std::int32_t> experts;  ///< (tokens, num_choices)
  std::span<float> gates;           ///< the same, or empty
  std::size_t num_choices = 0;

  [[nodiscard]] std::size_t num_tokens() const { return experts.size() / num_choices; }
  [[nodiscard]] Rows slice(std::size_t first_token, std::size_t tokens) const {
    const std::size_t begin = first_token * num_choices;
    const std::size_t size = tokens * num_choices;
    return {experts.subspan(begin, size), gates.empty() ? gates : gates.subspan(begin, size),
            num_choices};
  }
};

}  // namespace

struct RankTokens::State {
  State(const RouterState& of_router, int of_rank, bool gates_wanted);

  void draw_layer(int layer, const Rows& rows);
  void draw_shares(std::size_t index, LayerTokens& tokens, const Rows& rows);
  void draw_domains(const DomainRouter& spec, int layer, LayerTokens& tokens, const Rows& rows);
  void draw_chain(int layer, LayerTokens& tokens, const Rows& rows);
  void draw_correlated(const LayerCorrelatedRouter& spec, int layer, LayerTokens& tokens,
                       const Rows& rows);
  void replay(const RoutingTrace& trace, int layer, LayerTokens& tokens, const Rows& rows) const;

  /// Runs the race of a token's candidates (which jitter may reorder) and writes its row.
  template <class Weights>
  void finish_token(const Weights& weights, LayerTokens& tokens, const Rows& row,
                    std::span<std::int32_t> chosen);

  const RouterState& router;
  int rank = 0;
  bool with_gates = false;
  std::vector<LayerTokens> layers;
  int next_layer = 0;
  std::int64_t block_begin = 0;   ///< tokens before the block
  std::int64_t block_tokens = 0;  ///< of the block that is begun
  std::mt19937_64 domain_rng;
  std::vector<std::size_t> domain_of_sequence;  ///< as far as drawn
  NodeLimitedChoice limited;
  std::vector<std::int32_t> candidates;  ///< scratch
  /// (tokens, num_choices) of the layer below, before any policy; of a correlated router.
  std::vector<std::int32_t> below;
};

RankTokens::State::State(const RouterState& of_router, int of_rank, bool gates_wanted)
    : router{of_router},
      rank{of_rank},
      with_gates{gates_wanted},
      limited{of_router.spec.gate.expert_groups, of_router.spec.gate.groups_per_token,
              of_router.num_choices} {
  const auto& [seed, stack, draw] = router.stream;
  SWITCHYARD_CHECK(0 <= rank && rank < router.shape.num_ranks, "rank {} of {}", rank,
                   router.shape.num_ranks);
  SWITCHYARD_CHECK(!with_gates || !std::holds_alternative<TraceRouter>(router.spec.router),
                   "a trace has no gates");
  const auto rank_id = static_cast<std::uint64_t>(rank);
  domain_rng = stream_engine(seed, {kDomainStream, stack, draw, rank_id});
  layers.reserve(static_cast<std::size_t>(router.shape.num_layers));
  for (std::uint64_t layer = 0; layer < layers.capacity(); ++layer)
    layers.push_back(
        {.rng = stream_engine(seed, {kTokenStream, stack, draw, layer, rank_id}),
         .gate = {router.spec.gate, router.num_choices, router.shape.num_experts, with_gates,
                  stream_engine(seed, {kGateStream, stack, draw, layer, rank_id})}});
}

template <class Weights>
void RankTokens::State::finish_token(const Weights& weights, LayerTokens& tokens, const Rows& row,
                                     std::span<std::int32_t> chosen) {
  if (tokens.gate.needs_times()) tokens.gate.run_race(weights, chosen);
  if (chosen.data() != row.experts.data())
    std::ranges::copy(chosen.first(row.num_choices), row.experts.begin());
  tokens.gate.finish(row.experts, row.gates);
}

void RankTokens::State::draw_shares(std::size_t index, LayerTokens& tokens, const Rows& rows) {
  if (!router.groups.empty()) {
    for (std::size_t t = 0; t < rows.num_tokens(); ++t) {
      const Rows row = rows.slice(t, 1);
      limited.draw(router.groups[index], row.experts, tokens.rng);
      tokens.gate.set_times(limited.times());
      tokens.gate.finish(row.experts, row.gates);
    }
    return;
  }
  const ExpertShares& shares = router.shares[index];
  const std::size_t num_candidates = tokens.gate.num_candidates();
  const bool in_place = num_candidates == rows.num_choices;
  if (!in_place) candidates.resize(rows.num_tokens() * num_candidates);
  const std::span<std::int32_t> chosen = in_place ? rows.experts : std::span{candidates};
  shares.draw_rows(chosen, num_candidates, tokens.rng);
  if (!tokens.gate.needs_finish()) return;
  for (std::size_t t = 0; t < rows.num_tokens(); ++t)
    finish_token(shares, tokens, rows.slice(t, 1),
                 chosen.subspan(t * num_candidates, num_candidates));
}

void RankTokens::State::draw_domains(const DomainRouter& spec, int layer, LayerTokens& tokens,
                                     const Rows& rows) {
  const auto num_tokens = static_cast<std::int64_t>(rows.num_tokens());
  for (std::int64_t begin = 0; begin < num_tokens;) {
    const std::int64_t position = block_begin + begin;
    const auto sequence = static_cast<std::size_t>(position / spec.sequence_tokens);
    while (domain_of_sequence.size() <= sequence)
      domain_of_sequence.push_back(router.domain->draw(domain_rng));
    const std::int64_t left_in_sequence = spec.sequence_tokens - position % spec.sequence_tokens;
    const std::int64_t size = std::min(left_in_sequence, num_tokens - begin);
    draw_shares(router.shares_index(layer, domain_of_sequence[sequence]), tokens,
                rows.slice(static_cast<std::size_t>(begin), static_cast<std::size_t>(size)));
    begin += size;
  }
}

void RankTokens::State::draw_chain(int layer, LayerTokens& tokens, const Rows& rows) {
  const ExpertShares& shares = router.shares[router.shares_index(layer)];
  const LayerMemory& memory = router.memories[static_cast<std::size_t>(layer)];
  const bool has_second = router.spec.gate.top_k >= 2;
  candidates.resize(tokens.gate.num_candidates());
  for (std::size_t t = 0; t < rows.num_tokens(); ++t) {
    const TiltedShares tilted{shares, memory, tokens.last};
    draw_choices(tilted, candidates, tokens.rng);
    finish_token(tilted, tokens, rows.slice(t, 1), candidates);
    tokens.last = {.first = candidates[0], .second = has_second ? candidates[1] : kNoExpert};
  }
}

void RankTokens::State::draw_correlated(const LayerCorrelatedRouter& spec, int layer,
                                        LayerTokens& tokens, const Rows& rows) {
  const ExpertShares& shares = router.shares[router.shares_index(layer)];
  const auto& followers = router.followers[static_cast<std::size_t>(layer)];
  below.resize(rows.experts.size());
  candidates.resize(tokens.gate.num_candidates());
  const std::span<std::int32_t> chosen{candidates};
  for (std::size_t t = 0; t < rows.num_tokens(); ++t) {
    const auto below_row = std::span{below}.subspan(t * rows.num_choices, rows.num_choices);
    for (std::size_t j = 0; j < chosen.size(); ++j) {
      const bool follows =
          layer > 0 && j < rows.num_choices && open_unit(tokens.rng) < spec.affinity;
      chosen[j] = follows ? followers[static_cast<std::size_t>(below_row[j])] : kNoExpert;
      if (!follows || contains(chosen.first(j), chosen[j]))
        chosen[j] = shares.draw_other(chosen.first(j), tokens.rng);
    }
    finish_token(shares, tokens, rows.slice(t, 1), chosen);
    std::ranges::copy(chosen.first(rows.num_choices), below_row.begin());
  }
}

void RankTokens::State::replay(const RoutingTrace& trace, int layer, LayerTokens& tokens,
                               const Rows& rows) const {
  std::int64_t token =
      (first_trace_token(trace, router.shape, router.stream.draw, rank) + block_begin) %
      trace.num_tokens;
  for (std::size_t t = 0; t < rows.num_tokens(); ++t) {
    const Rows row = rows.slice(t, 1);
    for (std::size_t j = 0; j < rows.num_choices; ++j)
      row.experts[j] = trace.expert(token, layer, static_cast<int>(j));
    tokens.gate.finish(row.experts, row.gates);
    if (++token == trace.num_tokens) token = 0;
  }
}

void RankTokens::State::draw_layer(int layer, const Rows& rows) {
  LayerTokens& tokens = layers[static_cast<std::size_t>(layer)];
  const RouterSpec& spec = router.spec.router;
  if (const auto* domains = std::get_if<DomainRouter>(&spec))
    draw_domains(*domains, layer, tokens, rows);
  else if (std::holds_alternative<TemporalRouter>(spec))
    draw_chain(layer, tokens, rows);
  else if (const auto* correlated = std::get_if<LayerCorrelatedRouter>(&spec))
    draw_correlated(*correlated, layer, tokens, rows);
  else if (const auto* recorded = std::get_if<TraceRouter>(&spec))
    replay(*recorded->trace, layer, tokens, rows);
  else
    draw_shares(router.shares_index(layer), tokens, rows);
}

RankTokens::RankTokens(const Router& router, int rank, bool with_gates)
    : state_{std::make_unique<State>(*router.state_, rank, with_gates)} {}

RankTokens::RankTokens(RankTokens&&) noexcept = default;

RankTokens::~RankTokens() = default;

void RankTokens::draw(int layer, std::int64_t num_tokens, TokenChoices& choices) {
  State& state = *state_;
  const RouterShape& shape = state.router.shape;
  SWITCHYARD_CHECK(layer == state.next_layer, "layer {} where {} is next", layer, state.next_layer);
  if (layer == 0) state.block_tokens = num_tokens;
  SWITCHYARD_CHECK(num_tokens == state.block_tokens, "{} tokens in a block of {}", num_tokens,
                   state.block_tokens);
  SWITCHYARD_CHECK(num_tokens >= 0 && num_tokens <= shape.tokens_per_rank - state.block_begin,
                   "{} tokens after {} of {}", num_tokens, state.block_begin,
                   shape.tokens_per_rank);

  choices.num_choices = state.router.num_choices;
  const auto num_choices = static_cast<std::size_t>(choices.num_choices);
  choices.experts.resize(static_cast<std::size_t>(num_tokens) * num_choices);
  choices.gates.resize(state.with_gates ? choices.experts.size() : 0);
  state.draw_layer(layer, {choices.experts, choices.gates, num_choices});

  state.next_layer = (layer + 1) % shape.num_layers;
  if (state.next_layer == 0) state.block_begin += num_tokens;
}

std::int64_t first_trace_token(const RoutingTrace& trace, const RouterShape& shape,
                               std::uint64_t draw, int rank) {
  // Remainders first: products of these stay below 2^63.
  const auto size = static_cast<std::uint64_t>(trace.num_tokens);
  const auto tokens_per_rank = static_cast<std::uint64_t>(shape.tokens_per_rank) % size;
  const auto num_ranks = static_cast<std::uint64_t>(shape.num_ranks);
  const std::uint64_t before_draw = tokens_per_rank * num_ranks % size * (draw % size) % size;
  return static_cast<std::int64_t>(
      (before_draw + tokens_per_rank * static_cast<std::uint64_t>(rank)) % size);
}

}  // namespace switchyard
