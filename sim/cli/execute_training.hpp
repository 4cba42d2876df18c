#pragma once

#include <string>

namespace switchyard {

/// What `execute --train` is to do.
struct ExecuteTrainingOptions {
  std::string file;        ///< of keys, as for `switchyard-kernels train`
  std::string trace_file;  ///< where recorded choices go; empty: nowhere
  std::string format = "table";
  std::string out;    ///< folder for execute.json; empty: none
  int samples = 200;  ///< draws of each prediction
  bool quiet = false;
};

/// Trains the stack that a file describes, prints what it did and compares its routing with the
/// simulator's.
/// @throws ConfigError for a file that cannot be read or compared, or a training that stopped
void execute_training(const ExecuteTrainingOptions& options);

}  // namespace switchyard
