#include "sim/cli/calibration/import/imported_points_text.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/chrono.h>

namespace switchyard {

std::string imported_points_text(const std::vector<ImportedPoint>& points,
                                 const MeasuredDevice& device, int multiprocessors) {
  std::string text = fmt::format(
      "# switchyard points 1\n# backend: {}\n# device: {}\n# software: {}\n# cores: {}\n"
      "# last_level_cache_bytes: {:.0f}\n# memory_bytes: {:.0f}\n# started: {}\n",
      device.backend, device.device, device.software, device.cores, device.last_level_cache.base(),
      device.memory.base(), device.started);
  if (device.gpus > 0) text += fmt::format("# gpus: {}\n", device.gpus);
  if (multiprocessors > 0) text += fmt::format("# multiprocessors: {}\n", multiprocessors);
  text +=
      "operator,precision,shape,transport,ranks,busy_ranks,threads,role,pass,repeats,median_s,"
      "p10_s,p90_s,reference_s\n";
  for (const ImportedPoint& p : points)
    text +=
        fmt::format("{},{},{},{},{},1,1,{},0,{},{:.9g},{:.9g},{:.9g},\n", p.name, p.type, p.shape,
                    p.transport, p.ranks, p.role, p.repeats, p.median_s, p.p10_s, p.p90_s);
  return text;
}

std::string newest_date(const std::vector<std::filesystem::path>& files) {
  std::time_t newest = 0;
  for (const std::filesystem::path& file : files) {
    std::error_code error;
    const auto changed = std::filesystem::last_write_time(file, error);
    if (!error)
      newest = std::max(
          newest, std::chrono::system_clock::to_time_t(std::chrono::file_clock::to_sys(changed)));
  }
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(newest));
}

}  // namespace switchyard
