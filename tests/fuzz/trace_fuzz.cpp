// libFuzzer's entry to the reader of recorded routing. The first byte says what the others are:
// whether .npy or .csv, and whether the number of experts is known. `./dev fuzz` runs it.

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/workload/routing/hostile_trace.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool is_npy = (data[0] & 1U) == 0;
  const bool is_model_known = (data[0] & 2U) == 0;
  (void)switchyard::read_hostile_trace(
      std::string{reinterpret_cast<const char*>(data) + 1, size - 1},
      is_npy ? "hostile.npy" : "hostile.csv", is_model_known ? 8 : 0);
  return 0;
}
