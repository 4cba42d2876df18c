#include "kernels/measure/machine.hpp"

#include <unistd.h>

#include <ctime>
#include <fstream>
#include <thread>

#include "kernels/measure/rotated_memory.hpp"

namespace switchyard::kernels {
namespace {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace

std::string processor_name() {
  std::ifstream cpuinfo{"/proc/cpuinfo"};
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("model name")) {
      const std::size_t colon = line.find(": ");
      if (colon != std::string::npos) return line.substr(colon + 2);
    }
  return "unknown processor";
}

PointsHead machine_head(const std::string& software) {
  const std::int64_t memory =
      std::int64_t{sysconf(_SC_PHYS_PAGES)} * std::int64_t{sysconf(_SC_PAGESIZE)};
  return {{"backend", "cpu"},
          {"device", processor_name()},
          {"software", software},
          {"cores", std::to_string(std::thread::hardware_concurrency())},
          {"last_level_cache_bytes", std::to_string(last_level_cache_bytes())},
          {"memory_bytes", std::to_string(memory)},
          {"started", utc_now()}};
}

}  // namespace switchyard::kernels
