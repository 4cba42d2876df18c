#pragma once

#include <span>
#include <string>
#include <vector>

#include "cost_models/device_profile.hpp"
#include "sim/planner/held_out_error.hpp"
#include "sim/workload/operators.hpp"

namespace switchyard {

/// What is in the caches when a product is timed, and what the time contains.
enum class TimingMethod {
  /// A graph of launches that takes another copy of the weights each time; activations stay.
  kRotatedWeights,
  kClearedCache,  ///< the kernel alone, after all caches were overwritten
};

/// One measured time of a product (rows, contraction) x (contraction, columns).
struct GemmMeasurement {
  std::string system;   ///< "h100_sxm"
  std::string library;  ///< "cuBLAS as in TRTLLM 1.3.0rc20"
  TimingMethod method = TimingMethod::kRotatedWeights;
  Matmul matmul;  ///< kBfloat16 or kFp8; results are bfloat16
  Seconds time;
};

/// "1024 x 4096 x 7168": rows, columns, contraction.
[[nodiscard]] std::string gemm_name(const Matmul& matmul);

/// A row beside what constants say that were fitted without its site (held out) or with it.
struct GemmRow {
  GemmMeasurement measured;
  Seconds predicted;
  Seconds baseline;  ///< roofline of datasheet rates times one efficiency, fitted to the same rows
  bool is_held_out = false;

  [[nodiscard]] double error() const { return predicted / measured.time - 1.0; }
  [[nodiscard]] double baseline_error() const { return baseline / measured.time - 1.0; }
};

struct GemmFit {
  DeviceProfile device;  ///< with fitted constants, to three digits
  Seconds kernel_start;  ///< of FP8 kernels alone; launches are not in their times
  std::vector<GemmRow> rows;
  std::vector<GemmRow> each_held_out_once;  ///< by fits that leave each group of sites out in turn
};

/// Fits constants of the device's matmul_model: least squares of the logarithmic error, growing
/// linearly beyond 5 %.
///
///   bfloat16  operator_overhead, matmul_efficiency, streaming_efficiency, load_rate,
///             split_startup, fill_steps, wave_quantization
///   FP8       after them: kernel_start, efficiency, fill_steps; wave_quantization is 1, since
///   these
///             kernels give each tile to one multiprocessor and have no other shapes to choose from
///
/// Held out are whole sites, a site being all rows of a (columns, contraction): sorted by these,
/// the last of each three in bfloat16 and the last of each two in FP8. What is read from memory is
/// each operand once; with kRotatedWeights the weights only, where operands and result together fit
/// into `cache`. Order of the rows does not matter. Precondition: bfloat16 rows of at least three
/// sites, FP8 rows of none or at least two; the device has a matmul_model (checked).
[[nodiscard]] GemmFit fit_gemm(std::span<const GemmMeasurement> measured, DeviceProfile device,
                               Bytes cache);

/// The measurement as a device's constants predict it.
/// @param kernel_start  takes the place of operator_overhead with kClearedCache
[[nodiscard]] Seconds predict_gemm(const GemmMeasurement& row, const DeviceProfile& device,
                                   Seconds kernel_start, Bytes cache);

/// The datasheet's roofline: the longer of operations at the peak and operands at the bandwidth.
[[nodiscard]] Seconds gemm_roofline(const Matmul& matmul, const DeviceProfile& device);

/// Errors of the rows of one type, held out or fitted to, of the model or of the baseline.
[[nodiscard]] HeldOutError gemm_error(std::span<const GemmRow> rows, MatmulType type,
                                      bool is_held_out, bool of_baseline = false);

}  // namespace switchyard
