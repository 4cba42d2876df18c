#include "kernels/cpu/isa_kernels.hpp"

namespace switchyard::kernels {

extern const IsaKernels kIsaGeneric;
#ifdef SWITCHYARD_KERNELS_X86
extern const IsaKernels kIsaAvx2;
extern const IsaKernels kIsaAvx512;
#endif

const IsaKernels& isa_kernels() {
#ifdef SWITCHYARD_KERNELS_X86
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    return kIsaAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kIsaAvx2;
#endif
  return kIsaGeneric;
}

}  // namespace switchyard::kernels
