#pragma once

#include <functional>
#include <string_view>
#include <vector>

namespace switchyard {

/// Calls `work` in a forked child process and returns its result. The child shares nothing with the
/// caller afterwards: it ends without running exit handlers or flushing the caller's streams.
/// It is killed when the calling process ends before it, even by a signal.
/// Safe from several threads at once, as far as `work` needs no lock that another thread may hold.
///
/// @param name  who failed, in messages: "simgrid".
/// @throws std::runtime_error with the reason when `work` throws, or the child exits, is killed, or
///         cannot be started.
[[nodiscard]] std::vector<double> call_in_child(std::string_view name,
                                                const std::function<std::vector<double>()>& work);

}  // namespace switchyard
