#include "kernels/measure/points_head.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells{""};
  for (const char c : line) {
    if (c == ',')
      cells.emplace_back();
    else
      cells.back() += c;
  }
  return cells;
}

std::string head_lines(const PointsHead& head) {
  std::string text;
  for (const auto& [key, value] : head) text += "# " + key + ": " + value + '\n';
  return text;
}

void require_same_threads(const std::string& path, const std::string& threads,
                          const PointsHead& head) {
  const auto entry = std::ranges::find(head, "threads", &PointsHead::value_type::first);
  if (entry == head.end() || entry->second == threads) return;
  throw KernelError{Fault::kSpec, path + ": was measured with --threads " + threads +
                                      ", and this run has " + entry->second + ": give --threads " +
                                      threads + ", or another --out"};
}

void require_same_head(const std::string& path, const std::string& line, const PointsHead& head) {
  constexpr std::string_view kThreads = "# threads: ";
  if (line.starts_with(kThreads)) require_same_threads(path, line.substr(kThreads.size()), head);
  const bool is_same = std::ranges::any_of(head, [&](const auto& entry) {
    return line == "# " + entry.first + ": " + entry.second ||
           (entry.first == "started" && line.starts_with("# started: "));
  });
  if (!is_same)
    throw KernelError{Fault::kSpec, path +
                                        ": holds points of another machine, build or settings: \"" +
                                        line + "\"; give another file, or remove this one"};
}

void cannot_write_points(const std::string& path) {
  throw KernelError{Fault::kSpec,
                    path + ": cannot be written: " + std::strerror(errno) +
                        "; what was measured before is kept, and a run with the same file goes on "
                        "there"};
}

}  // namespace switchyard::kernels
