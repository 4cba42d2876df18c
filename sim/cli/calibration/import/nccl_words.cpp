#include "sim/cli/calibration/import/nccl_words.hpp"

#include <algorithm>
#include <iterator>
#include <regex>
#include <sstream>

#include <fmt/format.h>

namespace switchyard {
namespace {

constexpr CollectiveWord kWords[] = {{"all_reduce", "all_reduce"},
                                     {"all_gather", "all_gather"},
                                     {"reduce_scatter", "reduce_scatter"},
                                     {"alltoall", "all_to_all"},
                                     {"all_to_all", "all_to_all"},
                                     {"sendrecv", "point_to_point"},
                                     {"point_to_point", "point_to_point"},
                                     {"broadcast", ""},
                                     {"reduce", ""},
                                     {"gather", ""},
                                     {"scatter", ""},
                                     {"hypercube", ""}};

/// 22203 is 2.22.3; before 2.9 it was 2804 of 2.8.4.
std::string version_text(int code) {
  if (code >= 10000) return fmt::format("{}.{}.{}", code / 10000, code / 100 % 100, code % 100);
  return fmt::format("{}.{}.{}", code / 1000, code / 100 % 10, code % 100);
}

}  // namespace

const CollectiveWord* collective_word(std::string_view log) {
  const auto* found = std::ranges::find(kWords, log, &CollectiveWord::log);
  return found == std::end(kWords) ? nullptr : found;
}

std::string collective_in(std::string_view file_name) {
  std::string_view longest;
  for (const CollectiveWord& word : kWords)
    if (longest.size() < word.log.size() && file_name.find(word.log) != file_name.npos)
      longest = word.log;
  return std::string{longest};
}

std::string nccl_software(const std::string& line) {
  static const std::regex kLibrary{R"(nccl-library=(\d{4,6})\b)"};
  static const std::regex kVersion{R"(NCCL version (\d+\.\d+\.\d+))"};
  std::smatch found;
  if (line.find("nccl-library=") != std::string::npos && std::regex_search(line, found, kLibrary))
    return "NCCL " + version_text(std::stoi(found[1]));
  if (line.find("NCCL version") != std::string::npos && std::regex_search(line, found, kVersion))
    return "NCCL " + found[1].str();
  return "";
}

bool says_wrong(const std::string& column, const std::string& word) {
  if ((column != "#wrong" && column != "error") || word == "N/A") return false;
  const auto wrong = number<double>(word);
  return !wrong || *wrong != 0;
}

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream in{line};
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

}  // namespace switchyard
