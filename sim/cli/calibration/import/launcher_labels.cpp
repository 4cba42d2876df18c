#include "sim/cli/calibration/import/launcher_labels.hpp"

#include <algorithm>
#include <sstream>

#include "sim/cli/calibration/import/nccl_words.hpp"

namespace switchyard {
namespace {

std::size_t end_of_digits(std::string_view text, std::size_t begin) {
  return std::min(text.find_first_not_of("0123456789", begin), text.size());
}

/// What is left of a line behind its label and one blank.
std::string rest_of(std::string_view line, std::size_t begin) {
  if (begin < line.size() && line[begin] == ' ') ++begin;
  return std::string{line.substr(std::min(begin, line.size()))};
}

/// "[1,0]<stdout>:", "[prterun-node-7@1,0]<stderr>: " or "[0] ".
LabelledLine without_bracket(std::string_view line) {
  const std::size_t end = line.find(']');
  if (end == line.npos) return {.text = std::string{line}};
  std::string rank{line.substr(1, end - 1)};
  const std::string_view rest = line.substr(end + 1);
  for (const std::string_view stream : {"<stdout>:", "<stderr>:"})
    if (rest.starts_with(stream)) return {std::move(rank), rest_of(rest, stream.size())};
  const bool is_rank = !rank.empty() && end_of_digits(rank, 0) == rank.size();
  if (is_rank && rest.starts_with(' ')) return {std::move(rank), rest_of(rest, 0)};
  return {.text = std::string{line}};
}

}  // namespace

LabelledLine without_label(std::string_view line) {
  if (line.starts_with('[')) return without_bracket(line);
  const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t end = end_of_digits(line, begin);
  const bool is_label = end > begin && end < line.size() && line[end] == ':' &&
                        (end + 1 == line.size() || line[end + 1] == ' ');
  if (!is_label) return {.text = std::string{line}};
  return {std::string{line.substr(begin, end - begin)}, rest_of(line, end + 1)};
}

bool is_table_head(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == line.npos || line[begin] != '#') return false;
  const std::vector<std::string> words = words_of(line.substr(begin + 1));
  return !words.empty() && words.front() == "size" &&
         std::ranges::find(words, "time") != words.end();
}

std::vector<std::string> lines_of_one_rank(const std::string& log) {
  std::vector<LabelledLine> lines;
  std::string rank;
  std::istringstream in{log};
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(without_label(line));
    if (rank.empty() && !lines.back().rank.empty() && is_table_head(lines.back().text))
      rank = lines.back().rank;
  }
  std::vector<std::string> texts;
  for (LabelledLine& line : lines) {
    const bool is_of_another = !rank.empty() && !line.rank.empty() && line.rank != rank;
    texts.push_back(is_of_another ? std::string{} : std::move(line.text));
  }
  return texts;
}

}  // namespace switchyard
