#include "sim/cli/calibration/import/one_stack.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

bool is_product(const std::string& name) { return name == "gemm" || name.starts_with("grouped_"); }

}  // namespace

std::string agreed(const std::string& given, const std::vector<ReadFile>& files,
                   std::string ImportedFile::*member, const char* option, const char* example) {
  if (!given.empty()) {
    if (plain_words(given) != given)
      throw ConfigError(
          fmt::format("{}: expected words without quotes, ':' and '#', like {}, got "
                      "\"{}\"",
                      option, example, given));
    return given;
  }
  std::vector<std::string> texts;
  for (const ReadFile& file : files) {
    const std::string& text = file.contents.*member;
    if (text.empty())
      throw ConfigError(fmt::format("{}: does not say what was measured: give {} {}",
                                    file.path.string(), option, example));
    if (std::ranges::find(texts, text) == texts.end()) texts.push_back(text);
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

void check_one_software(const std::vector<ReadFile>& files, const std::string& given,
                        const MeasuredPoints& own) {
  std::map<std::string, std::pair<std::string, std::string>> stacks;  // software, file
  const auto check = [&](const std::string& name, const std::string& software,
                         const std::string& file) {
    const auto [known, is_new] = stacks.try_emplace(name, software, file);
    if (!is_new && known->second.first != software)
      throw ConfigError(fmt::format(
          "{}: {} of \"{}\" is in {} already, of \"{}\": a model is fitted to one stack's kernels; "
          "leave one of the files out, or say with --software that they are the same",
          file, name, software, known->second.second, known->second.first));
  };
  for (const KernelPoint& point : own.kernels)
    check(std::string{kernel_name(point.call.kind)}, own.device.software, "the points");
  for (const CollectivePoint& point : own.collectives)
    check(std::string{collective_kind_name(point.kind)} + " over " + point.transport,
          own.device.software, "the points");
  for (const ReadFile& file : files)
    for (const ImportedPoint& point : file.contents.points)
      check(point.name + (point.transport == "none" ? "" : " over " + point.transport),
            given.empty() ? file.contents.software : given, file.path.string());
}

void keep_one_type(std::vector<ImportedPoint>& points, std::vector<UnusedTime>& unused) {
  std::map<std::string, int> narrow;  // bfloat16 points beyond those of float32
  for (const ImportedPoint& point : points) narrow[point.name] += point.type == "bfloat16" ? 1 : -1;
  const auto stays = [&](const ImportedPoint& point) {
    return !is_product(point.name) || (point.type == "bfloat16") == (narrow.at(point.name) >= 0);
  };
  for (const ImportedPoint& point : points)
    if (!stays(point))
      unused.push_back({.name = point.name + " " + point.shape + " " + point.type,
                        .reason = "a form has one rate, and more points are of the other type",
                        .calls = point.repeats,
                        .median_s = point.median_s,
                        .total_s = static_cast<double>(point.repeats) * point.median_s,
                        .file = point.file});
  std::erase_if(points, [&](const ImportedPoint& point) { return !stays(point); });
}

}  // namespace switchyard
