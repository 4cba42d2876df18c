#include "sim/cli/calibration/import/trace_shapes.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

namespace switchyard {
namespace {

using Sizes = std::vector<std::int64_t>;

struct TypeWord {
  std::string_view trace;
  std::string_view point;  ///< empty: no type of the model
  int bytes;
};
constexpr TypeWord kTypes[] = {{"c10::BFloat16", "bfloat16", 2},
                               {"c10::Half", "bfloat16", 2},
                               {"float", "float32", 4},
                               {"BFloat16", "bfloat16", 2},
                               {"Half", "bfloat16", 2},
                               {"Float", "float32", 4},
                               {"Double", "", 8},
                               {"Int", "", 4},
                               {"Long", "", 8},
                               {"Char", "", 1},
                               {"Byte", "", 1},
                               {"Bool", "", 1},
                               {"Float8_e4m3fn", "", 1},
                               {"Float8_e5m2", "", 1}};

const TypeWord* type_of(const std::string& name) {
  const auto* found = std::ranges::find(kTypes, name, &TypeWord::trace);
  return found == std::end(kTypes) ? nullptr : found;
}

/// Operators that are products, and which of their inputs are the factors.
struct ProductWord {
  std::string_view name;
  std::size_t left;
};
constexpr ProductWord kProducts[] = {{"aten::mm", 0},      {"aten::addmm", 1},
                                     {"aten::linear", 0},  {"aten::bmm", 0},
                                     {"aten::baddbmm", 1}, {"aten::_grouped_mm", 0}};

std::string gemm(std::int64_t rows, std::int64_t n, std::int64_t k) {
  return fmt::format("rows={} n={} k={}", rows, n, k);
}

/// Name and shape of a product of a and b; the reason where they do not go together.
TracedShape multiplied(const TracedOperator& op, const Sizes& a, const Sizes& b) {
  const TracedShape none{.reason = op.name + " with shapes of no product of the model"};
  if (op.name == "aten::linear") {
    if (a.empty() || b.size() != 2 || a.back() != b[1]) return none;
    std::int64_t rows = 1;
    for (std::size_t i = 0; i + 1 < a.size(); ++i) rows *= a[i];
    return {.name = "gemm", .shape = gemm(rows, b[0], b[1])};
  }
  if (op.name == "aten::_grouped_mm") {
    if (a.size() == 2 && b.size() == 3 && a[1] == b[1])
      return {.name = "grouped_forward",
              .shape = fmt::format("{} experts={}", gemm(a[0], b[2], b[1]), b[0])};
    const bool has_groups = op.shapes.size() > 2 && op.shapes[2].size() == 1;
    if (a.size() == 2 && b.size() == 2 && a[1] == b[0] && has_groups)
      return {.name = "grouped_weight_gradient",
              .shape = fmt::format("{} experts={}", gemm(a[1], a[0], b[1]), op.shapes[2][0])};
    return none;
  }
  if (a.size() == 2 && b.size() == 2 && a[1] == b[0])
    return {.name = "gemm", .shape = gemm(a[0], b[1], a[1])};
  if (a.size() != 3 || b.size() != 3 || a[0] != b[0] || a[2] != b[1]) return none;
  if (a[0] == 1) return {.name = "gemm", .shape = gemm(a[1], b[2], a[2])};
  return {.name = "grouped_forward",
          .shape = fmt::format("{} experts={}", gemm(a[0] * a[1], b[2], a[2]), a[0])};
}

bool all_within(std::span<const Sizes> shapes) {
  constexpr std::int64_t kMost = 1'000'000'000;
  return std::ranges::all_of(shapes, [](const Sizes& sizes) {
    std::int64_t product = 1;
    for (const std::int64_t size : sizes) {
      if (size < 1 || size > kMost || product > kMost * kMost / size) return false;
      product *= size;
    }
    return true;
  });
}

/// Words of torch.distributed; `of_received` where the whole buffer is the one received.
struct CollectiveName {
  std::string_view trace;
  std::string_view point;
  bool of_received;
};
constexpr CollectiveName kCollectives[] = {
    {"allreduce", "all_reduce", false},
    {"allreduce_coalesced", "all_reduce", false},
    {"allgather", "all_gather", true},
    {"_allgather_base", "all_gather", true},
    {"allgather_into_tensor_coalesced", "all_gather", true},
    {"reduce_scatter", "reduce_scatter", false},
    {"_reduce_scatter_base", "reduce_scatter", false},
    {"reduce_scatter_tensor_coalesced", "reduce_scatter", false},
    {"all_to_all", "all_to_all", false},
    {"all_to_allv", "all_to_all", false},
    {"alltoall", "all_to_all", false},
    {"alltoall_base", "all_to_all", false}};

}  // namespace

TracedShape product_shape(const TracedOperator& op) {
  const auto* product = std::ranges::find(kProducts, op.name, &ProductWord::name);
  if (product == std::end(kProducts))
    return {.reason = "launched by " + op.name + ", which is not among the imported operators"};
  const std::size_t left = product->left;
  if (op.shapes.size() < left + 2 || op.types.size() < left + 2)
    return {.reason = op.name + " without shapes: record with record_shapes=True"};
  const TypeWord* type = type_of(op.types[left]);
  if (type == nullptr || type->point.empty() || op.types[left] != op.types[left + 1])
    return {.reason = fmt::format("{} of types {} and {}, of which the model has no products",
                                  op.name, op.types[left], op.types[left + 1])};
  if (!all_within(std::span{op.shapes}.subspan(left, 2)))
    return {.reason = op.name + " with empty or unknown sizes"};
  TracedShape shape = multiplied(op, op.shapes[left], op.shapes[left + 1]);
  shape.type = type->point;
  return shape;
}

TracedShape collective_shape(const TracedCollective& collective) {
  const auto* name = std::ranges::find(kCollectives, collective.name, &CollectiveName::trace);
  if (name == std::end(kCollectives))
    return {.reason =
                fmt::format("collective \"{}\" is not among the imported ones", collective.name)};
  if (collective.is_uneven) return {.reason = "an all-to-all of uneven parts"};
  const TypeWord* type = type_of(collective.type);
  const std::int64_t elements =
      name->of_received
          ? std::max(collective.received_elements, collective.sent_elements * collective.ranks)
          : collective.sent_elements;
  if (type == nullptr || elements <= 0 || collective.ranks < 2)
    return {.reason = "a collective without its size, type or ranks in the trace"};
  return {.name = std::string{name->point},
          .type = "float32",
          .shape = fmt::format("bytes={}", elements * type->bytes),
          .ranks = collective.ranks};
}

bool is_nccl_kernel(const std::string& name) { return name.find("nccl") != std::string::npos; }

}  // namespace switchyard
