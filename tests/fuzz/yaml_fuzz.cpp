// libFuzzer's entry to everything that reads a user's YAML. It needs clang:
//
//   cmake -B build/fuzz -D SWITCHYARD_FUZZ=ON -D CMAKE_CXX_COMPILER=clang++ \
//     -D CMAKE_CXX_FLAGS=-fsanitize=fuzzer-no-link,address
//   cmake --build build/fuzz --target yaml_fuzz
//   build/fuzz/tests/fuzz/yaml_fuzz -max_total_time=60

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/cli/hostile_yaml.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  switchyard::read_hostile(std::string{reinterpret_cast<const char*>(data), size});
  return 0;
}
