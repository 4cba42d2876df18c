#include "sim/cli/calibration/sustained_points.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/sustained_file.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;

std::string head_value(const kernels::SustainedRows& rows, const std::string& key) {
  const auto found =
      std::ranges::find(rows.head, key, [](const auto& entry) { return entry.first; });
  return found == rows.head.end() ? "" : found->second;
}

SustainedSpeed speed_of_rows(const std::vector<kernels::SustainedRow>& rows) {
  const kernels::SustainedRate rate = kernels::sustained_rate(rows);
  return {.ratio = std::clamp(rate.ratio(), 0.01, 1.0),
          .burst = Seconds{rate.burst_s},
          .sustained = Seconds{rate.sustained_s},
          .duration = Seconds{rate.seconds}};
}

}  // namespace

std::vector<fs::path> sustained_files(const std::vector<fs::path>& points,
                                      const std::vector<fs::path>& asked) {
  if (!asked.empty()) return asked;
  std::vector<fs::path> files;
  for (const fs::path& file : points) {
    const fs::path beside = kernels::sustained_file_of(file.string());
    if (fs::is_regular_file(beside)) files.push_back(beside);
  }
  return files;
}

std::map<std::string, SustainedSpeed, std::less<>> sustained_speeds(
    const std::vector<fs::path>& files, const MeasuredDevice& device) {
  std::map<std::string, SustainedSpeed, std::less<>> speeds;
  try {
    for (const fs::path& file : files) {
      const kernels::SustainedRows rows = kernels::read_sustained(file.string());
      if (const std::string other = head_value(rows, "device"); other != device.device)
        throw ConfigError(fmt::format("{}: device: expected \"{}\" as of the points, got \"{}\"",
                                      file.string(), device.device, other));
      for (const auto& [name, of_class] : rows.classes) {
        if (std::ranges::find(kSustainedClasses, name) == kSustainedClasses.end())
          throw ConfigError(fmt::format("{}: class: expected one of {}, got \"{}\"", file.string(),
                                        fmt::join(kSustainedClasses, ", "), name));
        speeds[name] = speed_of_rows(of_class);
      }
    }
  } catch (const kernels::KernelError& error) {
    throw ConfigError(error.what());
  }
  return speeds;
}

}  // namespace switchyard
