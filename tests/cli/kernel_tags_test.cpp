#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "cost_models/calibration/kernel_work.hpp"
#include "sim/cli/data_folder.hpp"
#include "sim/cli/read_model.hpp"
#include "sim/workload/training_step.hpp"

// The kernels that operators of the catalog's models name do the products that the operators state.

namespace switchyard {
namespace {

struct TagCase {
  std::string model;
  bool is_fused = true;        ///< attention in one kernel, as on GPUs
  bool is_permutation = true;  ///< dispatch by permutation
};

std::ostream& operator<<(std::ostream& out, const TagCase& c) {
  return out << c.model << (c.is_fused ? " fused" : " separate")
             << (c.is_permutation ? " permuted" : " one-hot");
}

std::vector<TagCase> tag_cases() {
  std::vector<TagCase> cases;
  for (const std::string& name : model_catalog().names)
    for (const auto& [fused, permutation] : {std::pair{true, true}, {false, true}, {false, false}})
      cases.push_back({name, fused, permutation});
  return cases;
}

StepGraph graph_of(const TagCase& c) {
  TrainingStepSpec step;
  step.model = read_document(*model_catalog().load(c.model),
                             [](Section section) { return read_model(std::move(section)); });
  const bool has_encoder = step.model.architecture == Architecture::kEncoderDecoder;
  step.lengths = {.input_tokens = has_encoder ? 192 : 0, .target_tokens = 128};
  step.sequences = step.microbatch_sequences = 2;
  step.precision = Precision::kBfloat16;
  step.lowering.fused_attention = c.is_fused;
  step.lowering.separate_activation = true;
  step.lowering.dispatch = c.is_permutation ? DispatchKind::kPermutation : DispatchKind::kOneHot;
  step.moe.group_tokens = 128;
  return build_training_step(step);
}

class KernelTags : public testing::TestWithParam<TagCase> {};

/// An operator that has the time of others stands for their products, so sums are compared: by
/// block and direction. Unfused attention computes what the mask leaves out, its kernel does not.
TEST_P(KernelTags, NameTheOperatorsOwnProducts) {
  const StepGraph graph = graph_of(GetParam());
  std::map<std::string, std::pair<double, double>> flop;  // of operators, of their kernels
  int num_products = 0;
  for (const StepNode& node : graph.microbatch) {
    const auto* op = std::get_if<Operator>(&node);
    if (op == nullptr || !op->kernel) continue;
    const bool is_attention = op->kernel->kind == KernelKind::kAttentionPrefill;
    if (is_attention && !GetParam().is_fused) continue;
    const bool is_router = op->operator_class == OperatorClass::kRouter;
    const std::string key = is_router ? op->name.substr(0, op->name.find(".moe")) + " router " +
                                            std::string{phase_name(op->phase)}
                                      : op->name;
    auto& [of_operators, of_kernels] = flop[key];
    of_operators += matmul_flop(op->matmul).base();
    if (op->kernel->is_elsewhere) continue;
    const KernelUse& use = *op->kernel;
    const KernelCall call{.kind = use.kind,
                          .element_bytes = use.element_bytes,
                          .sizes = use.sizes,
                          .variant = use.variant};
    ASSERT_EQ(use.sizes.size(), size_names(use.kind).size()) << op->name;
    ASSERT_EQ(use.variant.empty(), !has_variant(use.kind)) << op->name;
    of_kernels += plain_work(call).flop.base();
    if (op->matmul.batch > 0.0) ++num_products;
  }
  for (const auto& [name, sums] : flop)
    EXPECT_NEAR(sums.second, sums.first, 1e-9 * sums.first) << name;
  // Every projection and its two gradients at least: those of the first layer and the logits.
  EXPECT_GE(num_products, 12);
}

/// Forward causal self-attention alone: the kernel that is measured. No backward pass is.
TEST_P(KernelTags, AreOnCausalSelfAttentionAlone) {
  const TagCase& c = GetParam();
  const StepGraph graph = graph_of(c);
  const bool is_latent = c.model.starts_with("deepseek");  // queries wider than values
  int tagged = 0;
  for (const StepNode& node : graph.microbatch) {
    const auto* op = std::get_if<Operator>(&node);
    if (op == nullptr || !op->kernel || op->kernel->kind != KernelKind::kAttentionPrefill) continue;
    EXPECT_EQ(op->phase, Phase::kForward) << op->name;
    EXPECT_TRUE(op->name.starts_with("decoder.")) << op->name;
    EXPECT_EQ(op->name.find("encoder_attention"), std::string::npos) << op->name;
    ++tagged;
  }
  EXPECT_EQ(tagged > 0, !is_latent);
}

INSTANTIATE_TEST_SUITE_P(Catalog, KernelTags, testing::ValuesIn(tag_cases()), [](const auto& each) {
  std::string name = testing::PrintToString(each.param);
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

}  // namespace
}  // namespace switchyard
