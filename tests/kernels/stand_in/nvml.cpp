// A management library with one GPU, at 1410 MHz and 312.5 W.

#include <cstring>

namespace {
int device = 0;
}  // namespace

extern "C" {

int nvmlInit_v2() { return 0; }
int nvmlShutdown() { return 0; }
int nvmlDeviceGetHandleByPciBusId_v2(const char* bus, void** handle) {
  *handle = &device;
  return std::strcmp(bus, "0000:1b:00.0") == 0 ? 0 : 6;
}
int nvmlDeviceGetClockInfo(void* handle, int type, unsigned* mhz) {
  *mhz = 1410;
  return handle == &device && type == 1 ? 0 : 2;
}
int nvmlDeviceGetPowerUsage(void* /*handle*/, unsigned* milliwatts) {
  *milliwatts = 312'500;
  return 0;
}
int nvmlSystemGetDriverVersion(char* text, unsigned length) {
  std::strncpy(text, "580.65.06", length);
  return 0;
}

}  // extern "C"
