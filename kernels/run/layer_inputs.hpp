#pragma once

#include <cstdint>
#include <vector>

#include "kernels/layer/buffer.hpp"
#include "kernels/layer/step_context.hpp"
#include "kernels/run/run_spec.hpp"

namespace switchyard::kernels {

/// Share of each expert: by rank r of popularity (r + 1)^-exponent, which expert has which rank is
/// drawn for each layer; (num_experts), sums to 1.
[[nodiscard]] std::vector<double> drawn_popularity(const RunSpec& spec, std::uint64_t layer);

/// Tokens of one data rank, uniform in (-1, 1), the same for a token whatever rank has it.
///
/// With InputRouting::kSkew a token also leans towards top_k experts, drawn without replacement by
/// popularity: a multiple of each one's router weights is added, which raises that logit by 3 and
/// more, where logits of a first router vary by 0.2. So few tokens choose otherwise. With
/// InputRouting::kTrace it leans as TokenLeaning says.
/// @param at      layer, and first_token of the data rank
/// @param router  (num_experts, d_model)
/// @throws KernelError (kSpec) for recorded choices that no token was found for
template <class T>
[[nodiscard]] Buffer<T> make_inputs(const RunSpec& spec, const StepContext& at,
                                    const Buffer<float>& router);

/// What a loss after the layer might send back: uniform in (-1, 1) / batch tokens.
template <class T>
[[nodiscard]] Buffer<T> make_output_gradients(const RunSpec& spec, const StepContext& at);

}  // namespace switchyard::kernels
