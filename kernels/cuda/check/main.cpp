// Compares the CUDA backend with the CPU: kernels/cuda/check [--small] [part of a name]
// Exit status 0 when all checks pass, 1 when one fails, 77 where there is no CUDA device.

#include <cstdio>
#include <string_view>

#include "kernels/cuda/check/check.hpp"

namespace {

using namespace switchyard::kernels;

bool passes(const CudaCheck& check, CudaBackend& cuda) {
  try {
    check.run(cuda);
    cuda.synchronize();
    std::printf("ok      %s\n", check.name.c_str());
    return true;
  } catch (const std::exception& error) {
    std::printf("FAILED  %s: %s\n", check.name.c_str(), error.what());
    std::fflush(stdout);
    return false;
  }
}

int run_checks(bool small_alone, std::string_view part) {
  if (num_cuda_devices() == 0) {
    std::printf("skipped: no CUDA device\n");
    return 77;
  }
  CudaBackend cuda;
  std::printf("%s, compute capability %d.%d\n", cuda.device().name.c_str(), cuda.device().major,
              cuda.device().minor);
  int num_run = 0;
  int num_failed = 0;
  for (const auto& check : cuda_checks()) {
    if ((small_alone && !check.is_small) || check.name.find(part) == std::string::npos) continue;
    ++num_run;
    if (!passes(check, cuda)) ++num_failed;
  }
  std::printf("%d of %d checks failed\n", num_failed, num_run);
  return num_failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  bool small_alone = false;
  std::string_view part;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view{argv[i]} == "--small")
      small_alone = true;
    else
      part = argv[i];
  }
  try {
    return run_checks(small_alone, part);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
