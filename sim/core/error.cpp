#include "sim/core/error.hpp"

#include <cstdio>
#include <cstdlib>

namespace switchyard {

void panic(const char* file, int line, const char* condition, const std::string& message) {
  fmt::print(stderr, "switchyard bug at {}:{}: {} does not hold: {}\n", file, line, condition,
             message);
  std::abort();
}

}  // namespace switchyard
