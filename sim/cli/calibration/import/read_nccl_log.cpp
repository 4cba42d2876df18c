#include "sim/cli/calibration/import/read_nccl_log.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <regex>
#include <set>
#include <utility>

#include "sim/cli/calibration/import/launcher_labels.hpp"
#include "sim/cli/calibration/import/nccl_words.hpp"
#include "sim/cli/message_text.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kMostProblems = 20;
constexpr double kLongest_us = 1e9;
constexpr std::size_t kLongestLine = 2000;

/// A log being read line by line: what was said so far holds for the rows that follow.
class NcclLog {
 public:
  NcclLog(const std::string& file, const NcclLogOptions& options)
      : file_{file},
        options_{options},
        file_word_{collective_in(std::filesystem::path{file}.filename().string())} {}

  void read(const std::string& line) {
    ++line_;
    // Of other programs; expressions would go deep into them.
    if (line.size() > kLongestLine) return;
    read_names(line);
    if (line.find("Out of bounds values") != std::string::npos &&
        line.find("FAILED") != std::string::npos)
      problem("results were wrong, so their times say nothing");
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos) return;
    if (line[begin] == '#') {
      refuse_cut_row();
      read_head(line);
    } else {
      read_row(line);
    }
  }

  ImportedFile finished() {
    if (cut_row_ && has_rows_)
      result_.warnings.push_back(*std::exchange(cut_row_, std::nullopt) +
                                 "; it ends the log and is left out: was the program stopped?");
    refuse_cut_row();
    if (problems_.empty() && !has_rows_)
      problem(
          "expected rows of nccl-tests (size, count, type, ..., time, algbw, busbw), found none");
    if (!problems_.empty()) throw ConfigError(fmt::format("{}", fmt::join(problems_, "\n")));
    result_.backend = "cuda";
    return std::move(result_);
  }

 private:
  void problem(const std::string& what) {
    if (problems_.size() < kMostProblems)
      problems_.push_back(fmt::format("{}:{}: {}", file_, line_, what));
  }

  /// A row that is cut off is left out where the log ends with it.
  void refuse_cut_row() {
    if (cut_row_ && problems_.size() < kMostProblems) problems_.push_back(*cut_row_);
    cut_row_.reset();
  }

  void read_names(const std::string& line) {
    static const std::regex kProgram{R"((\w+?)_perf\b)"};
    std::smatch found;
    if (line.find("_perf") != std::string::npos && std::regex_search(line, found, kProgram) &&
        collective_word(found[1].str()) != nullptr)
      log_word_ = found[1];
    if (const std::string software = nccl_software(line); !software.empty())
      result_.software = software;
  }

  void read_head(const std::string& line) {
    static const std::regex kRank{
        R"(^\s*#\s*Rank\s+(\d+)\s.*\bon\s+(\S+)\s+device\s+\d+\s+(?:\[[^\]]*\])?\s*(.*)$)"};
    std::smatch found;
    if (line.find("nThread") != std::string::npos) {
      ranks_.clear();
      hosts_.clear();
    } else if (std::regex_match(line, found, kRank)) {
      ranks_.insert(found[1]);
      hosts_.insert(found[2]);
      if (result_.device.empty()) result_.device = plain_words(found[3]);
    } else if (is_table_head(line)) {
      columns_ = words_of(line.substr(line.find('#') + 1));
    }
  }

  void read_row(const std::string& line) {
    const std::vector<std::string> words = words_of(line);
    // Other programs' lines, such as mpirun's "2 more processes".
    if (words.size() < 2 || !number<std::int64_t>(words[0]) || !number<std::int64_t>(words[1]))
      return;
    refuse_cut_row();
    if (columns_.empty()) return problem("expected a header (# size count type ...) before rows");
    const bool is_last_cut = words.back() == "N" || words.back() == "N/";  // of N/A
    if (words.size() != columns_.size() || is_last_cut) {
      cut_row_ = fmt::format("{}:{}: expected {} columns, as the header has, got {}", file_, line_,
                             columns_.size(), words.size() - (is_last_cut ? 1 : 0));
      return;
    }
    has_rows_ = true;
    const auto text = [&](std::string_view column) {
      const auto place = std::ranges::find(columns_, column) - columns_.begin();
      return place < std::ssize(columns_) ? words[static_cast<std::size_t>(place)] : std::string{};
    };
    for (std::size_t i = 0; i < words.size(); ++i)
      if (says_wrong(columns_[i], words[i]))
        problem(
            fmt::format("{}: expected 0, got {}: results were wrong, so their times say nothing",
                        columns_[i], in_quotes(words[i])));
    const auto size = number<std::int64_t>(words[0]);
    const auto time_us = number<double>(text("time"));
    if (!time_us || !(*time_us > 0) || *time_us > kLongest_us)
      return problem(fmt::format("time: expected microseconds above 0 and up to 1e9, got {}",
                                 in_quotes(text("time"))));
    if (*size < 0) return problem("size: expected at least 0");
    add(*size, *time_us / 1e6, text("type") + " " + text("redop"));
  }

  void add(std::int64_t size, double time_s, const std::string& kind) {
    const std::string asked = !options_.collective.empty() ? options_.collective
                              : !log_word_.empty()         ? log_word_
                                                           : file_word_;
    const int ranks = options_.ranks > 0 ? options_.ranks : static_cast<int>(ranks_.size());
    const CollectiveWord* word = collective_word(asked);
    if (word == nullptr)
      return problem(
          "which collective is it? Neither the log nor the file's name says it (all_reduce_perf, "
          "alltoall_perf, ...): give it with --import-collective");
    if (ranks == 0)
      return problem(
          "of how many ranks? The log has no \"#  Rank  0\" lines: give "
          "--import-ranks");
    const auto unused = [&](const std::string& reason) {
      result_.unused.push_back({.name = fmt::format("{} {} B", asked, size),
                                .reason = reason,
                                .calls = 1,
                                .median_s = time_s,
                                .total_s = time_s,
                                .file = file_});
    };
    if (word->point.empty()) return unused("no collective that the model has");
    if (size == 0) return unused("nothing is sent");
    if (ranks < 2) return unused("one rank alone");
    if (hosts_.size() > 1)
      return unused(fmt::format("{} hosts: a profile of links is one of a node", hosts_.size()));
    const std::string first = kinds_.try_emplace(word->log, kind).first->second;
    if (kind != first) return unused(fmt::format("{}; those of {} are used", kind, first));
    result_.points.push_back({.name = std::string{word->point},
                              .shape = fmt::format("bytes={}", size),
                              .transport = "nccl",
                              .ranks = ranks,
                              .median_s = time_s,
                              .p10_s = time_s,
                              .p90_s = time_s,
                              .file = file_});
  }

  std::string file_;
  NcclLogOptions options_;
  std::string file_word_;
  std::string log_word_;
  std::set<std::string> ranks_;
  std::set<std::string> hosts_;
  std::map<std::string_view, std::string> kinds_;  ///< by collective: type and reduction
  std::vector<std::string> columns_;
  int line_ = 0;
  bool has_rows_ = false;
  std::optional<std::string> cut_row_;  ///< what is wrong with the row before this line
  std::vector<std::string> problems_;
  ImportedFile result_;
};

}  // namespace

ImportedFile read_nccl_log(const std::string& text, const std::string& file,
                           const NcclLogOptions& options) {
  NcclLog log{file, options};
  for (const std::string& line : lines_of_one_rank(text)) log.read(line);
  return log.finished();
}

}  // namespace switchyard
