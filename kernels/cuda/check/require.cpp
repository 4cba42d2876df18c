#include "kernels/cuda/check/check.hpp"

namespace switchyard::kernels {

void require_error(const std::string& what, double error, double tolerance) {
  if (error <= tolerance) return;
  throw CheckFailed{what + ": error " + std::to_string(error) + ", expected at most " +
                    std::to_string(tolerance)};
}

void require_that(const std::string& what, bool condition) {
  if (!condition) throw CheckFailed{what};
}

}  // namespace switchyard::kernels
