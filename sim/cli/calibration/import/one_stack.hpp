#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/cli/calibration/import/imported_file.hpp"
#include "sim/cli/calibration/points_file.hpp"

namespace switchyard {

/// What was read of one file.
struct ReadFile {
  std::filesystem::path path{};
  ImportedFile contents{};
};

/// What was measured, in words: those given with `option`, else those of the files, each once.
/// @throws ConfigError where a file does not say it, and where the words could not stand in YAML.
[[nodiscard]] std::string agreed(const std::string& given, const std::vector<ReadFile>& files,
                                 std::string ImportedFile::*member, const char* option,
                                 const char* example);

/// A form has constants of one stack's kernels.
/// @param given  the software of all files; empty: what each says
/// @param own    points that go with them
/// @throws ConfigError where kernels of one operator are of two stacks.
void check_one_software(const std::vector<ReadFile>& files, const std::string& given,
                        const MeasuredPoints& own);

/// A form has one rate, and float32 products of a GPU another than bfloat16 ones: of each operator
/// the type with more points stays, the others become unused.
void keep_one_type(std::vector<ImportedPoint>& points, std::vector<UnusedTime>& unused);

}  // namespace switchyard
