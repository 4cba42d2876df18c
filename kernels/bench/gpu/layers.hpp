#pragma once

#include "kernels/bench/gpu/report.hpp"
#include "kernels/bench/gpu/shapes.hpp"

namespace switchyard::kernels {

/// Times a whole layer, forward and (but for decode) backward, and each of its phases.
void bench_layer(CudaBackend& cuda, const BenchShape& shape, BenchReport& report);

/// Copies within the device's memory, and a dense 8192^3 product: what other times are held
/// against. The product is timed again between shapes, as a thermometer.
void bench_copies(CudaBackend& cuda, BenchReport& report);
void bench_thermometer(CudaBackend& cuda, const std::string& when, BenchReport& report);

}  // namespace switchyard::kernels
