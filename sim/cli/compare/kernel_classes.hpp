#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/workload/time_class.hpp"

namespace switchyard {

/// Kernels whose name has `pattern` in it, in small letters or capitals, are of that class.
struct KernelClass {
  std::string pattern;
  TimeClass time_class = TimeClass::kProducts;
};

/// What names of kernels of PyTorch, cuBLAS, CUTLASS, NCCL, FlashAttention, Triton and DeepEP say,
/// in the order in which it is asked. Names that say nothing have no entry.
[[nodiscard]] std::span<const KernelClass> known_kernel_classes();

/// Reads a CSV with the columns pattern and class, to be asked before the known ones.
/// @throws ConfigError with every problem by line.
[[nodiscard]] std::vector<KernelClass> read_kernel_classes(const std::filesystem::path& file);

/// The class of a kernel by the first pattern in its name: of `own`, then of the known ones.
[[nodiscard]] std::optional<TimeClass> class_of_kernel(const std::string& name,
                                                       std::span<const KernelClass> own);

}  // namespace switchyard
