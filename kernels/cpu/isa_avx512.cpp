#include "kernels/cpu/isa_kernels.hpp"

// Compiled with flags of its own. No inline function of another header is called from here: the
// linker would keep one copy of it, perhaps one that not every processor can run.

namespace switchyard::kernels {
namespace {

constexpr int kLanes = 16;
constexpr int kTileRows = 12;  // rows of a tile, which has two vectors a row

#include "kernels/cpu/lanes.inc"

#include "kernels/cpu/activation_kernel.inc"
#include "kernels/cpu/gemm_kernel.inc"

using Half = std::uint16_t;

}  // namespace

extern const IsaKernels kIsaAvx512;
constexpr IsaKernels kIsaAvx512{.name = "avx512",
                                .gemm = multiply<float, float, float>,
                                .gemm_bfloat16 = multiply<Half, Half, Half>,
                                .gemm_bfloat16_to_float = multiply<Half, Half, float>,
                                .gemm_bfloat16_float = multiply<Half, float, float>,
                                .gemm_float_bfloat16 = multiply<float, Half, float>,
                                .activations = kActivations<float>,
                                .activations_bfloat16 = kActivations<Half>};

}  // namespace switchyard::kernels
