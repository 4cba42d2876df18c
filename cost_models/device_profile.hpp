#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cost_models/matmul_model.hpp"
#include "sim/core/constant.hpp"
#include "sim/core/units.hpp"

namespace switchyard {

struct KernelProfile;

/// 90 % of measured times of whole steps are expected between these multiples of the predicted one.
struct StepInterval {
  double low = 1;
  double high = 1;
  Provenance provenance = Provenance::kAssumed;  ///< measured: of steps that nothing was fitted to
};

/// Granularity of the matrix unit: dimensions are padded up to multiples of these.
struct MatmulTile {
  std::int64_t rows = 1;          ///< rows that stream through together
  std::int64_t minimum_rows = 1;  ///< fewer rows take as long as this many (loading the weights)
  std::int64_t contraction = 1;
  std::int64_t columns = 1;
};

/// Granularity of device memory: the last two dimensions of a tensor are padded to multiples.
struct MemoryTile {
  std::int64_t rows = 1;
  std::int64_t columns = 1;
};

/// One rank's device: what a datasheet says, and the share of it that kernels reach.
struct DeviceProfile {
  std::string name;
  /// Of matrix products. float32 operands run at the same rate on TPUs, rounded to bfloat16 inside.
  FlopPerSecond peak_bfloat16;
  BytesPerSecond memory_bandwidth;
  Bytes memory_capacity;
  double memory_usable = 1.0;  ///< share of the capacity left to a program
  MatmulTile matmul_tile;
  MemoryTile memory_tile;
  /// Share of the peak reached by padded products; with a matmul_model, by endless ones.
  Constant matmul_efficiency;
  Constant memory_efficiency;  ///< share of the bandwidth reached
  Seconds operator_overhead;   ///< added to each kernel
  /// Share of the speed of products, as measured in short runs, that a device hot from hours of
  /// steps keeps: its clocks fall until its power is within limits.
  Constant sustained_speed = {};
  /// Time the host takes to launch an operator; it launches one after the other and does not wait
  /// for them. 0: steps are launched as a whole (compiled programs, graphs).
  QuantityConstant<Seconds> host_launch = {};
  /// Of a GPU: products take what tiled_product_time() says, instead of matmul_tile.
  std::optional<MatmulModel> matmul_model = {};
  /// What a prediction from these numbers is worth; none: nobody said.
  std::optional<StepInterval> step_interval = {};
  /// Kernels measured on this device; shared by the copies of a system, for it has every point.
  std::shared_ptr<const KernelProfile> kernels = {};
};

}  // namespace switchyard
