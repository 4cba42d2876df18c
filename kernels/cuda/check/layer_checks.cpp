#include <algorithm>

#include "kernels/cuda/check/check.hpp"
#include "kernels/cuda/check/layer_run.hpp"

namespace switchyard::kernels {
namespace {

/// Largest relative Frobenius errors against the reference. float: sums of depth k are off by about
/// sqrt(k) * 2^-24. bfloat16: each of the numbers stored on the way is off by up to 2^-9.
struct Tolerance {
  double layer;
  double weight_gradients;
};
template <class T>
constexpr Tolerance kTolerance =
    std::is_same_v<T, float> ? Tolerance{1e-5, 1e-5} : Tolerance{1e-2, 6e-3};

template <class T>
void compare(CudaBackend& cuda, const MoeLayerSpec& spec, std::int64_t num_tokens, bool one_hot) {
  const auto run = run_on_device<T>(cuda, spec, num_tokens, one_hot);
  const ReferenceWeights weights{.router = in_double(run.weights.router),
                                 .w1 = in_double(run.weights.experts.w1),
                                 .w2 = in_double(run.weights.experts.w2)};
  const auto inputs = in_double(run.inputs);
  ReferenceState state;
  const auto outputs = reference_forward(spec, run.step, weights, inputs, state);
  const auto expected =
      reference_backward(spec, run.step, weights, inputs, state, in_double(run.d_outputs));

  require_that("another choice of experts",
               have_same_bits(run.routing.experts, state.routing.experts));
  require_that("another plan", have_same_bits(run.plan.dst_row, state.plan.dst_row));
  require_error("logits", frobenius_error(run.routing.logits, state.routing.logits), 1e-5);
  require_error("probabilities",
                frobenius_error(run.routing.probabilities, state.routing.probabilities), 1e-5);
  require_error("gates", frobenius_error(run.routing.gates, state.routing.gates), 1e-5);
  require_error("aux_loss", std::fabs(run.routing.aux_loss - state.routing.aux_loss),
                1e-5 * state.routing.aux_loss);
  require_error("z_loss", std::fabs(run.routing.z_loss - state.routing.z_loss),
                1e-5 * state.routing.z_loss);
  require_error("outputs", frobenius_error(run.outputs, outputs), kTolerance<T>.layer);
  require_error("d_inputs", frobenius_error(run.d_inputs, expected.inputs), kTolerance<T>.layer);
  const double of_weights = kTolerance<T>.weight_gradients;
  require_error("d_router", frobenius_error(run.gradients.router, expected.weights.router),
                of_weights);
  require_error("d_w1", frobenius_error(run.gradients.w1, expected.weights.w1), of_weights);
  require_error("d_w2", frobenius_error(run.gradients.w2, expected.weights.w2), of_weights);
}

MoeLayerSpec small_layer() {
  return {.d_model = 40,
          .d_ff = 24,
          .num_experts = 8,
          .activation = Activation::kSwiglu,
          .router = {.top_k = 2, .renormalized = true, .z_loss_weight = 0.01}};
}

/// In float and in selective precision; what is small in the second alone.
void add(std::vector<CudaCheck>& checks, const std::string& name, MoeLayerSpec spec,
         std::int64_t num_tokens, bool one_hot = false) {
  spec.precision = Precision::kFloat32;
  checks.push_back({"layer_" + name + "_float", false,
                    [=](CudaBackend& cuda) { compare<float>(cuda, spec, num_tokens, one_hot); }});
  spec.precision = Precision::kSelective;
  const bool is_small = spec.d_model <= 64 && num_tokens <= 100;
  checks.push_back({"layer_" + name + "_bfloat16", is_small, [=](CudaBackend& cuda) {
                      compare<BFloat16>(cuda, spec, num_tokens, one_hot);
                    }});
}

void add_experts_and_tokens(std::vector<CudaCheck>& checks) {
  for (const int num_experts : {1, 2, 7, 8, 64, 128, 257, 1100}) {
    MoeLayerSpec spec = small_layer();
    spec.num_experts = num_experts;
    spec.router.top_k = std::min(2, num_experts);
    const std::string of = "experts" + std::to_string(num_experts);
    add(checks, of + "_top2", spec, 67);
    spec.router.top_k = 1;
    spec.router.renormalized = false;
    spec.capacity.capacity_factor = 1.25;
    add(checks, of + "_top1", spec, 67);
  }
  for (const std::int64_t num_tokens : {0, 1, 33, 3001})
    add(checks, "tokens" + std::to_string(num_tokens), small_layer(), num_tokens);
}

void add_variants(std::vector<CudaCheck>& checks) {
  for (const auto activation : {Activation::kRelu, Activation::kGeglu, Activation::kSwiglu})
    for (const int d_ff : {37, 136}) {
      MoeLayerSpec spec = small_layer();
      spec.activation = activation;
      spec.d_ff = d_ff;
      add(checks,
          "activation" + std::to_string(static_cast<int>(activation)) + "_" + std::to_string(d_ff),
          spec, 90);
    }
  for (const auto policy : {SecondChoice::kAlways, SecondChoice::kThreshold, SecondChoice::kRandom,
                            SecondChoice::kNever})
    for (const bool renormalized : {false, true}) {
      MoeLayerSpec spec = small_layer();
      spec.router.second_choice = policy;
      spec.router.renormalized = renormalized;
      spec.capacity = {.capacity_factor = 1.0, .group_tokens = 30};
      add(checks,
          "second" + std::to_string(static_cast<int>(policy)) +
              (renormalized ? "_renormalized" : ""),
          spec, 80);
    }
  MoeLayerSpec spec = small_layer();
  spec.d_model = 2080;
  spec.num_experts = 4;
  add(checks, "width_of_switch_c", spec, 40);
  spec = small_layer();
  spec.router.jitter = 0.1;
  spec.expert_dropout = 0.4;
  add(checks, "jitter_and_dropout", spec, 90);
  spec = small_layer();
  spec.router.top_k = 1;
  spec.router.renormalized = false;
  add(checks, "one_hot", spec, 67, true);
  spec.capacity.capacity_factor = 1.0;
  add(checks, "one_hot_dropped", spec, 67, true);
  spec = {.d_model = 264,
          .d_ff = 136,
          .num_experts = 6,
          .activation = Activation::kGeglu,
          .router = {.top_k = 2, .renormalized = true}};
  add(checks, "several_tiles", spec, 700);
}

void check_all_dropped(CudaBackend& cuda) {
  MoeLayerSpec spec = small_layer();
  spec.router.aux_loss_weight = spec.router.z_loss_weight = 0.0;
  spec.capacity = {.capacity_factor = 0.01, .minimum = 0};
  const auto run = run_on_device<BFloat16>(cuda, spec, 64);
  require_that("rows are kept", run.plan.num_rows == 0 && run.plan.num_dropped == 128);
  const auto is_zero = [](auto x) { return to_float(x) == 0.0F; };
  require_that("outputs are not zero", std::ranges::all_of(run.outputs, is_zero));
  require_that("d_inputs are not zero", std::ranges::all_of(run.d_inputs, is_zero));
  for (const auto* of : {&run.gradients.router, &run.gradients.w1, &run.gradients.w2})
    require_that("gradients are not zero", std::ranges::all_of(*of, is_zero));
}

void check_two_runs(CudaBackend& cuda) {
  MoeLayerSpec spec = small_layer();
  spec.d_model = 264;
  spec.d_ff = 136;
  spec.capacity.capacity_factor = 1.0;
  const auto first = run_on_device<BFloat16>(cuda, spec, 3001);
  const auto second = run_on_device<BFloat16>(cuda, spec, 3001);
  require_that("outputs differ between runs", have_same_bits(first.outputs, second.outputs));
  require_that("d_inputs differ between runs", have_same_bits(first.d_inputs, second.d_inputs));
  require_that("d_router differs between runs",
               have_same_bits(first.gradients.router, second.gradients.router));
  require_that("d_w1 differs between runs",
               have_same_bits(first.gradients.w1, second.gradients.w1));
  require_that("d_w2 differs between runs",
               have_same_bits(first.gradients.w2, second.gradients.w2));
  require_that("aux_loss differs between runs", first.routing.aux_loss == second.routing.aux_loss);
}

void check_pure_bfloat16(CudaBackend& cuda) {
  MoeLayerSpec spec = small_layer();
  spec.precision = Precision::kBfloat16;
  const auto run = run_on_device<BFloat16>(cuda, spec, 200);
  for (const auto* of : {&run.routing.logits, &run.routing.probabilities, &run.routing.gates})
    for (const float x : *of)
      require_that("the router keeps more than bfloat16", x == rounded_to_bfloat16(x));
}

}  // namespace

std::vector<CudaCheck> layer_checks() {
  std::vector<CudaCheck> checks;
  add_experts_and_tokens(checks);
  add_variants(checks);
  checks.push_back({"layer_all_dropped", true, check_all_dropped});
  checks.push_back({"layer_two_runs", false, check_two_runs});
  checks.push_back({"layer_pure_bfloat16", false, check_pure_bfloat16});
  return checks;
}

}  // namespace switchyard::kernels
