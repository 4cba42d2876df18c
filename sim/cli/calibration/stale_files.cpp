#include "sim/cli/calibration/stale_files.hpp"

#include <fstream>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "sim/cli/calibration/import/unused_report.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

bool is_of_calibrate(const std::filesystem::path& file, const std::string& first_words) {
  const std::string text = text_of(file);
  return first_words.empty() ? text.find("Written by `switchyard calibrate`") != std::string::npos
                             : text.starts_with(first_words);
}

}  // namespace

std::vector<std::string> remove_stale_files(const std::filesystem::path& folder,
                                            const std::string& name,
                                            const std::set<std::string>& written) {
  std::vector<std::string> removed;
  for (const char* ending : {"yaml", "loopback.yaml", "mpi.yaml", "nccl.yaml", "unused.csv"}) {
    const std::string file = fmt::format("{}.{}", name, ending);
    std::error_code error;
    if (written.contains(file) || !std::filesystem::is_regular_file(folder / file, error)) continue;
    const bool is_list = std::string_view{ending} == "unused.csv";
    if (!is_of_calibrate(folder / file, is_list ? unused_csv({}) : "")) continue;
    if (!std::filesystem::remove(folder / file, error))
      throw ConfigError(fmt::format(
          "{}: is of an earlier calibration and cannot be removed: {}; remove it, or give another "
          "--name",
          (folder / file).string(), error.message()));
    removed.push_back(file);
  }
  return removed;
}

}  // namespace switchyard
