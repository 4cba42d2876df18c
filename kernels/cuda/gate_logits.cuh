#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/cuda/numbers.cuh"
#include "kernels/cuda/warp.cuh"

namespace switchyard::kernels {

/// One token's numbers in the registers of a warp: lane l holds those of experts l, l + 32, ...
template <int kPerLane>
struct ExpertRow {
  float values[kPerLane];
};

__device__ inline int expert_of(int i) { return lane_id() + kWarp * i; }

/// Experts beyond the last hold `beyond`.
template <int kPerLane>
__device__ inline ExpertRow<kPerLane> load_row(const float* row, int num_experts, float beyond) {
  ExpertRow<kPerLane> result;
#pragma unroll
  for (int i = 0; i < kPerLane; ++i)
    result.values[i] = expert_of(i) < num_experts ? row[expert_of(i)] : beyond;
  return result;
}

template <int kPerLane>
__device__ inline void store_row(const ExpertRow<kPerLane>& row, int num_experts, float* to) {
#pragma unroll
  for (int i = 0; i < kPerLane; ++i)
    if (expert_of(i) < num_experts) to[expert_of(i)] = row.values[i];
}

/// Expert with the largest logit among those not taken, the lower among equals.
struct BestExpert {
  float logit;
  int expert;  ///< num_experts if all are taken
};

/// The best of those that the lanes have.
__device__ inline BestExpert best_of_warp(BestExpert best, int num_experts) {
  for (int step = kWarp / 2; step > 0; step /= 2) {
    const float logit = __shfl_xor_sync(kWholeWarp, best.logit, step);
    const int expert = __shfl_xor_sync(kWholeWarp, best.expert, step);
    const bool is_better = best.expert == num_experts || logit > best.logit ||
                           (logit == best.logit && expert < best.expert);
    if (expert != num_experts && is_better) best = {logit, expert};
  }
  // With NaN lanes may disagree; a choice must at least be one.
  return {__shfl_sync(kWholeWarp, best.logit, 0), __shfl_sync(kWholeWarp, best.expert, 0)};
}

/// @param taken  bit i: this lane's expert i is
template <int kPerLane>
__device__ inline BestExpert best_expert(const ExpertRow<kPerLane>& logits, int num_experts,
                                         std::uint64_t taken) {
  BestExpert best{-INFINITY, num_experts};
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) {
    const bool is_free = expert_of(i) < num_experts && ((taken >> i) & 1U) == 0;
    if (is_free && (best.expert == num_experts || logits.values[i] > best.logit))
      best = {logits.values[i], expert_of(i)};
  }
  return best_of_warp(best, num_experts);
}

__device__ inline std::uint64_t taken_with(std::uint64_t taken, int expert) {
  return expert % kWarp == lane_id() ? taken | (std::uint64_t{1} << (expert / kWarp)) : taken;
}

}  // namespace switchyard::kernels
