#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace switchyard {

/// Most experts that a trace may have whose model is not known: larger numbers are a mistake.
inline constexpr int kMostTraceExperts = 1 << 20;
/// Most numbers that a trace may have.
inline constexpr std::int64_t kMostTraceNumbers = std::int64_t{1} << 31;

/// The recorded choices of one token in one layer after those of another, checked as they come.
class ExpertRows {
 public:
  /// @param num_choices  in a row
  /// @param num_experts  of the model; 0: at most kMostTraceExperts
  ExpertRows(std::int64_t num_choices, int num_experts);

  /// Takes the next choice, or says what is wrong with it: an expert outside, one twice in a row.
  [[nodiscard]] std::optional<std::string> add(__int128 expert);

  /// Of the model where it was given, else one more than the largest so far.
  [[nodiscard]] int num_experts() const;

  [[nodiscard]] std::vector<std::int32_t>& experts() { return experts_; }

 private:
  std::int64_t num_choices_;
  std::int64_t choice_ = 0;  ///< place in its row of the next one
  int given_experts_;
  std::int64_t row_ = 1;                ///< of the next one, from 1
  std::vector<std::int64_t> last_row_;  ///< by expert: the row that had it last, 0 for none
  std::vector<std::int32_t> experts_;
};

}  // namespace switchyard
