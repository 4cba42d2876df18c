#include "kernels/measure/nvml.hpp"

#include <dlfcn.h>

namespace switchyard::kernels {
namespace {

constexpr int kSuccess = 0;
constexpr int kClockOfMultiprocessors = 1;

template <class Function>
void find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
}

}  // namespace

/// As NVML's documentation has them (NVML API Reference, NVIDIA, release 12).
struct Nvml::Calls {
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*device_of_bus)(const char*, void**) = nullptr;
  int (*clock)(void*, int, unsigned*) = nullptr;  ///< MHz
  int (*power)(void*, unsigned*) = nullptr;       ///< mW
  int (*driver)(char*, unsigned) = nullptr;
};

Nvml::Nvml(const std::string& pci_bus_id, const char* library) : calls_{std::make_unique<Calls>()} {
  library_ = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) return;
  find(library_, "nvmlInit_v2", calls_->init);
  find(library_, "nvmlShutdown", calls_->shutdown);
  find(library_, "nvmlDeviceGetHandleByPciBusId_v2", calls_->device_of_bus);
  find(library_, "nvmlDeviceGetClockInfo", calls_->clock);
  find(library_, "nvmlDeviceGetPowerUsage", calls_->power);
  find(library_, "nvmlSystemGetDriverVersion", calls_->driver);
  if (calls_->init == nullptr || calls_->init() != kSuccess) {
    *calls_ = {};
    return;
  }
  if (calls_->device_of_bus == nullptr ||
      calls_->device_of_bus(pci_bus_id.c_str(), &device_) != kSuccess)
    device_ = nullptr;
}

Nvml::~Nvml() {
  if (calls_->shutdown != nullptr) calls_->shutdown();
  if (library_ != nullptr) dlclose(library_);
}

MachineState Nvml::read() const {
  MachineState state;
  if (device_ == nullptr) return state;
  unsigned number = 0;
  if (calls_->clock != nullptr &&
      calls_->clock(device_, kClockOfMultiprocessors, &number) == kSuccess)
    state.clock_mhz = number;
  if (calls_->power != nullptr && calls_->power(device_, &number) == kSuccess)
    state.power_w = 1e-3 * number;
  return state;
}

std::string Nvml::driver_version() const {
  char text[96] = {};
  if (calls_->driver == nullptr || calls_->driver(text, sizeof text) != kSuccess) return "";
  return text;
}

}  // namespace switchyard::kernels
