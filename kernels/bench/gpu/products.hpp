#pragma once

#include "kernels/bench/gpu/report.hpp"
#include "kernels/bench/gpu/shapes.hpp"

namespace switchyard::kernels {

/// Times the six grouped products of a layer, for decode the two forward ones: ours, cuBLASLt
/// expert by expert on 1 and 4 streams, cublasGemmGroupedBatchedEx, and one dense cuBLASLt product
/// of equal FLOPs. With `all_tiles` ours at every tile too.
void bench_products(CudaBackend& cuda, const BenchShape& shape, bool all_tiles,
                    BenchReport& report);

}  // namespace switchyard::kernels
