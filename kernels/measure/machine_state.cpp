#include "kernels/measure/machine_state.hpp"

#include <chrono>
#include <fstream>

namespace switchyard::kernels {
namespace {

std::optional<double> number_in(const std::string& file) {
  std::ifstream in{file};
  double number = 0.0;
  if (in >> number) return number;
  return std::nullopt;
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Of all packages that say so, in J.
std::optional<double> energy(const std::string& root) {
  std::optional<double> all;
  for (int package = 0;; ++package) {
    const auto of = number_in(root + "/sys/class/powercap/intel-rapl:" + std::to_string(package) +
                              "/energy_uj");
    if (!of) return all;
    all = all.value_or(0.0) + 1e-6 * *of;
  }
}

}  // namespace

MachineState ProcessorMonitor::read() {
  MachineState state;
  if (const auto khz = number_in(root_ + "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq"))
    state.clock_mhz = 1e-3 * *khz;
  const auto energy_j = energy(root_);
  const double at_s = now_s();
  // The counter wraps around now and then: that second has no power.
  if (energy_j && energy_j_ >= 0.0 && *energy_j >= energy_j_ && at_s > at_s_)
    state.power_w = (*energy_j - energy_j_) / (at_s - at_s_);
  energy_j_ = energy_j.value_or(-1.0);
  at_s_ = at_s;
  return state;
}

}  // namespace switchyard::kernels
