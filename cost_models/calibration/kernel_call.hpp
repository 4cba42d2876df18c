#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/workload/kernel_kind.hpp"

namespace switchyard {

/// One call of a kernel on one rank.
struct KernelCall {
  KernelKind kind = KernelKind::kLaunch;
  int element_bytes = 4;              ///< of what is stored; sums are float32
  std::vector<std::int64_t> sizes{};  ///< in the order of size_names()
  std::vector<std::int64_t> loads{};  ///< grouped: rows of each expert; empty: as even as can be
  std::string variant{};              ///< activations: relu, gelu, geglu, swiglu; else empty
  int threads = 1;                    ///< of the rank
  int busy_ranks = 1;                 ///< of the machine, that run the same side by side

  friend bool operator==(const KernelCall&, const KernelCall&) = default;
};

/// "grouped_forward": as in files of points.
[[nodiscard]] std::string_view kernel_name(KernelKind kind);
[[nodiscard]] std::optional<KernelKind> kernel_of_name(std::string_view name);

/// What the sizes of a call are: {"rows", "n", "k", "experts"}.
[[nodiscard]] std::span<const std::string_view> size_names(KernelKind kind);

/// Whether calls have a variant.
[[nodiscard]] bool has_variant(KernelKind kind);

/// The size of that name. Precondition: there is one (checked).
[[nodiscard]] std::int64_t size_of(const KernelCall& call, std::string_view name);

/// Rows of each expert, where loads are not given: the first rows % experts have one more.
[[nodiscard]] std::vector<std::int64_t> expert_loads(const KernelCall& call);

/// "rows=512 n=1024 k=512 experts=8", as in files of points.
[[nodiscard]] std::string shape_text(const KernelCall& call);

/// Where a call lies among others: log2 of 1 + each size, of the bytes of a number, of cores at
/// work, and of the largest load over the mean. Distances are octaves.
[[nodiscard]] std::vector<double> coordinates(const KernelCall& call);

}  // namespace switchyard
