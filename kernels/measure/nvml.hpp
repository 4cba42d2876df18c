#pragma once

#include <memory>
#include <string>

#include "kernels/measure/machine_state.hpp"

namespace switchyard::kernels {

/// NVIDIA's management library, found when the program runs: power and clock of one GPU. Reads
/// alone; clocks and limits are never set.
class Nvml {
 public:
  /// Without the library, or where it does not know the GPU, all that is read is empty.
  /// @param pci_bus_id  of the GPU, "0000:1b:00.0"
  explicit Nvml(const std::string& pci_bus_id, const char* library = "libnvidia-ml.so.1");
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;
  ~Nvml();

  [[nodiscard]] bool is_there() const { return device_ != nullptr; }

  /// Power of the board and the clock of its multiprocessors.
  [[nodiscard]] MachineState read() const;

  /// Of the driver, "580.65.06"; empty without the library.
  [[nodiscard]] std::string driver_version() const;

 private:
  struct Calls;

  void* library_ = nullptr;
  std::unique_ptr<Calls> calls_;
  void* device_ = nullptr;
};

}  // namespace switchyard::kernels
