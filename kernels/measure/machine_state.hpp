#pragma once

#include <optional>
#include <string>

namespace switchyard::kernels {

/// What a machine says of itself; empty where it says nothing.
struct MachineState {
  std::optional<double> power_w;
  std::optional<double> clock_mhz;
};

/// The state of this machine's processor: the first core's clock, and the power of its packages
/// since the call before, which the first call has not. Nothing is set.
class ProcessorMonitor {
 public:
  /// @param root  of the system's files; "" but in tests
  explicit ProcessorMonitor(std::string root = "") : root_{std::move(root)} {}

  [[nodiscard]] MachineState read();

 private:
  std::string root_;
  double energy_j_ = -1.0;
  double at_s_ = 0.0;
};

}  // namespace switchyard::kernels
