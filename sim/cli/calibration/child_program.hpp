#pragma once

#include <atomic>
#include <string>
#include <vector>

namespace switchyard {

/// Runs a program and waits for it. It gets SIGTERM when this program ends, killed or not, and some
/// seconds after `is_stopped` where it has not ended by then: Ctrl-C reaches both.
/// @param command  the program's path and its arguments
/// @returns its exit status; 127 where it did not start, 128 + signal where one ended it
[[nodiscard]] int status_of_child(const std::vector<std::string>& command,
                                  const std::atomic<bool>& is_stopped);

}  // namespace switchyard
