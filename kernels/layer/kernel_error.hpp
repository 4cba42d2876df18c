#pragma once

#include <stdexcept>
#include <string>

namespace switchyard::kernels {

/// What went wrong in a kernel call.
enum class Fault {
  kSpec,        ///< a layer that cannot be: top_k above num_experts, d_model 0, ...
  kShape,       ///< an argument has another size than the spec says
  kNotFinite,   ///< NaN or Inf in an input
  kAllocation,  ///< memory refused
  kDevice,      ///< a CUDA call failed
  kTransport,   ///< MPI or NCCL failed, or another rank left
};

/// Thrown by everything in `kernels`; what() names the argument, what was expected and what was
/// given.
class KernelError : public std::runtime_error {
 public:
  KernelError(Fault fault, const std::string& message)
      : std::runtime_error{message}, fault_{fault} {}

  [[nodiscard]] Fault fault() const { return fault_; }

 private:
  Fault fault_;
};

}  // namespace switchyard::kernels
