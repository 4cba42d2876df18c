#pragma once

#include <string>

#include "sim/cli/calibration/import/imported_file.hpp"

namespace switchyard {

/// What a log does not say.
struct NcclLogOptions {
  std::string collective{};  ///< all_reduce, all_to_all, ...; empty: the log's or its name's
  int ranks = 0;             ///< 0: those it lists
};

/// Reads a log of nccl-tests: all_reduce_perf, all_gather_perf, reduce_scatter_perf, alltoall_perf,
/// sendrecv_perf, one after the other if several wrote it. Times are the out-of-place ones, of the
/// first type and reduction that it has. `size` is one rank's whole buffer, as points have it:
///
///   all_reduce, alltoall   what a rank sends, itself included
///   all_gather             what a rank receives: ranks * what it contributes
///   reduce_scatter         what a rank contributes: ranks * what it receives
///   sendrecv               what a rank sends to the next while the one before it sends to it
///
/// Ranks of several hosts become no points: a profile of links is one of a scale-up domain.
/// Lines may have labels of launchers: see lines_of_one_rank(). A row without all columns that ends
/// the log, of a program that was stopped, is left out with a warning.
/// @throws ConfigError with every problem by line: other rows that are cut off, times that are
/// none,
///         wrong results (#wrong), no ranks or no collective.
[[nodiscard]] ImportedFile read_nccl_log(const std::string& text, const std::string& file,
                                         const NcclLogOptions& options);

}  // namespace switchyard
