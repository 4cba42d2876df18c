#include "kernels/cpu/isa_kernels.hpp"

namespace switchyard::kernels {

extern const IsaKernels kIsaGeneric;
#ifdef SWITCHYARD_KERNELS_X86
extern const IsaKernels kIsaAvx2;
extern const IsaKernels kIsaAvx512;
#endif

std::vector<const IsaKernels*> available_isa_kernels() {
  std::vector<const IsaKernels*> available;
#ifdef SWITCHYARD_KERNELS_X86
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    available.push_back(&kIsaAvx512);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    available.push_back(&kIsaAvx2);
#endif
  available.push_back(&kIsaGeneric);
  return available;
}

const IsaKernels& isa_kernels() {
  static const IsaKernels& widest = *available_isa_kernels().front();
  return widest;
}

}  // namespace switchyard::kernels
