#include "sim/cli/calibration/calibration_names.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/cli/data_folder.hpp"
#include "sim/cli/message_text.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code unreadable;
  return fs::is_regular_file(path, unreadable);
}

}  // namespace

std::string profile_name_of(const MeasuredDevice& device) {
  std::string name;
  for (const char c : device.device) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (is_plain)
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  if (name.empty()) name = "device";
  if (device.backend == "cuda") {
    while (name.ends_with('-')) name.pop_back();
    return name;
  }
  if (name.back() != '-') name += '-';
  return name + fmt::format("{}-core{}", device.cores, device.cores == 1 ? "" : "s");
}

void check_profile_name(const std::string& name) {
  const bool is_plain =
      !name.empty() && std::isalnum(static_cast<unsigned char>(name.front())) != 0 &&
      std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '+';
      });
  if (!is_plain)
    throw ConfigError(fmt::format("--name: expected letters, digits and -_.+, got \"{}\"", name));
}

void check_base(const std::string& base, const fs::path& folder) {
  if (base.ends_with(".yaml")) {
    if (is_file(folder / base) || is_file(base)) return;
    throw ConfigError(fmt::format("--base: there is no file {}", in_quotes(base)));
  }
  const Catalog devices = device_catalog();
  if (std::ranges::find(devices.names, base) != devices.names.end()) return;
  const std::string near = did_you_mean(base, devices.names);
  throw ConfigError(fmt::format(
      "--base: {} is not in the catalog{}", in_quotes(base),
      near.empty() ? fmt::format("; it has {}", fmt::join(devices.names, ", ")) : near));
}

}  // namespace switchyard
