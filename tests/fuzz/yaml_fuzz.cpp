// libFuzzer's entry to everything that reads a user's YAML. `./dev fuzz` runs it.

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/cli/hostile_yaml.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  switchyard::read_hostile(std::string{reinterpret_cast<const char*>(data), size});
  return 0;
}
