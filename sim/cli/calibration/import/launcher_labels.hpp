#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace switchyard {

/// What a launcher put before a line, and the line as the program wrote it.
struct LabelledLine {
  std::string rank{};  ///< "3" of "3: ", "1,3" of "[1,3]<stdout>:", "3" of "[3] "; empty: no label
  std::string text{};
};

/// Labels of `srun --label`, of Open MPI's `mpirun --tag-output` and of MPICH's `-prepend-rank`.
[[nodiscard]] LabelledLine without_label(std::string_view line);

/// The head of a table of nccl-tests: "#  size  count  type ...  time  algbw".
[[nodiscard]] bool is_table_head(const std::string& line);

/// Lines of a log without their labels, and of labelled ones only those of the first rank that
/// prints a table's head; lines of other ranks are empty, so that the others keep their numbers.
/// Where no rank prints one, all.
[[nodiscard]] std::vector<std::string> lines_of_one_rank(const std::string& log);

}  // namespace switchyard
