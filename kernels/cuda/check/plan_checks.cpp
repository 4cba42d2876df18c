#include "kernels/cpu/plan.hpp"

#include <algorithm>

#include "kernels/cuda/check/check.hpp"
#include "kernels/cuda/check/numbers.hpp"
#include "kernels/cuda/permute.hpp"
#include "kernels/cuda/plan.hpp"
#include "kernels/layer/routing.hpp"

namespace switchyard::kernels {
namespace {

/// top_k distinct experts for each token, the lower numbers more often; some second choices unused.
Buffer<std::int32_t> random_choices(const MoeLayerSpec& spec, std::int64_t num_tokens) {
  const auto top_k = static_cast<std::size_t>(spec.router.top_k);
  Buffer<std::int32_t> experts(static_cast<std::size_t>(num_tokens) * top_k);
  std::uint64_t counter = 0;
  for (std::size_t at = 0; at < experts.size(); ++at) {
    const auto token = experts.begin() + static_cast<std::ptrdiff_t>(at / top_k * top_k);
    const auto end = experts.begin() + static_cast<std::ptrdiff_t>(at);
    do {
      const float draw = uniform_at(5, counter++);
      experts[at] = static_cast<std::int32_t>(draw * draw * static_cast<float>(spec.num_experts));
    } while (std::find(token, end, experts[at]) != end);
  }
  if (top_k == 2)
    for (std::size_t at = 1; at < experts.size(); at += 14) experts[at] = kNoExpert;
  return experts;
}

void require_same(const char* what, const Buffer<std::int32_t>& got,
                  const Buffer<std::int32_t>& expected) {
  require_that(std::string{"another "} + what + " than the CPU's", have_same_bits(got, expected));
}

void compare_plans(CudaBackend& cuda, const MoeLayerSpec& spec, std::int64_t num_tokens) {
  const auto experts = random_choices(spec, num_tokens);
  DispatchPlan expected;
  build_plan(spec, experts, expected);
  DeviceBuffer<std::int32_t> on_device;
  copy_to_device<std::int32_t>(experts, on_device, cuda.stream());
  DevicePlan plan;
  build_plan(spec, cuda, on_device, plan);
  DispatchPlan got;
  download(cuda, plan, got);
  require_same("offsets", got.offsets, expected.offsets);
  require_same("dst_row", got.dst_row, expected.dst_row);
  require_same("source_token", got.source_token, expected.source_token);
  require_same("source_choice", got.source_choice, expected.source_choice);
  require_same("num_chosen", got.num_chosen, expected.num_chosen);
  require_that("another num_dropped than the CPU's", got.num_dropped == expected.num_dropped);
  require_that("more rows than max_rows", got.num_rows <= plan.max_rows);
}

/// The permuted rows are the inputs' bits, and the rows behind the last stay as they were.
template <class T>
void compare_permutation(CudaBackend& cuda, int d_model) {
  MoeLayerSpec spec{.d_model = d_model, .d_ff = 8, .num_experts = 7, .router = {.top_k = 2}};
  spec.capacity.capacity_factor = 1.0;
  const std::int64_t num_tokens = 77;
  const auto experts = random_choices(spec, num_tokens);
  DispatchPlan expected;
  build_plan(spec, experts, expected);
  DeviceBuffer<std::int32_t> experts_on_device;
  copy_to_device<std::int32_t>(experts, experts_on_device, cuda.stream());
  DevicePlan plan;
  build_plan(spec, cuda, experts_on_device, plan);
  const auto inputs = uniform_numbers<T>(
      static_cast<std::size_t>(num_tokens) * static_cast<std::size_t>(d_model), 9);
  DeviceBuffer<T> inputs_on_device;
  copy_to_device<T>(inputs, inputs_on_device, cuda.stream());
  DeviceBuffer<T> rows;
  poison(rows, static_cast<std::size_t>(plan.max_rows) * static_cast<std::size_t>(d_model),
         cuda.stream());
  permute<T>(plan, cuda, d_model, inputs_on_device, rows);
  const auto got = on_host(rows, cuda.stream());
  const auto d = static_cast<std::size_t>(d_model);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const std::size_t row = i / d;
    if (row >= static_cast<std::size_t>(expected.num_rows)) {
      require_that("a row behind the last was written", std::isnan(to_float(got[i])));
      continue;
    }
    const auto token = static_cast<std::size_t>(expected.source_token[row]);
    require_that("row " + std::to_string(row) + " is not its token's",
                 to_float(got[i]) == to_float(inputs[token * d + i % d]));
  }
}

CudaCheck plan_check(const std::string& name, const MoeLayerSpec& spec, std::int64_t num_tokens) {
  return {"plan_" + name, num_tokens <= 1000,
          [spec, num_tokens](CudaBackend& cuda) { compare_plans(cuda, spec, num_tokens); }};
}

}  // namespace

std::vector<CudaCheck> plan_checks() {
  std::vector<CudaCheck> checks;
  for (const int num_experts : {1, 2, 7, 8, 64, 128, 257, 2048})
    for (const int top_k : {1, 2, 4}) {
      if (top_k > num_experts) continue;
      MoeLayerSpec spec{
          .d_model = 8, .d_ff = 8, .num_experts = num_experts, .router = {.top_k = top_k}};
      const std::string of = std::to_string(num_experts) + "_top" + std::to_string(top_k);
      checks.push_back(plan_check(of + "_dropless", spec, 1000));
      spec.capacity.capacity_factor = 1.0;
      checks.push_back(plan_check(of + "_choice_major", spec, 1000));
      spec.capacity.group_tokens = 300;
      spec.capacity.priority = SlotPriority::kTokenMajor;
      checks.push_back(plan_check(of + "_token_major_groups", spec, 1000));
    }
  MoeLayerSpec spec{.d_model = 8, .d_ff = 8, .num_experts = 128, .router = {.top_k = 2}};
  spec.capacity.capacity_factor = 1.25;
  for (const std::int64_t num_tokens : {0, 1, 33, 128, 129, 70001})
    checks.push_back(plan_check("tokens" + std::to_string(num_tokens), spec, num_tokens));
  spec.capacity = {.capacity_factor = 0.001, .minimum = 0};
  checks.push_back(plan_check("all_dropped", spec, 500));
  checks.push_back({"permute_float", true, [](CudaBackend& cuda) {
                      compare_permutation<float>(cuda, 40);
                      compare_permutation<float>(cuda, 37);
                    }});
  checks.push_back({"permute_bfloat16", true, [](CudaBackend& cuda) {
                      compare_permutation<BFloat16>(cuda, 2080);
                      compare_permutation<BFloat16>(cuda, 37);
                    }});
  return checks;
}

}  // namespace switchyard::kernels
