#include "topologies/spec_problem.hpp"

#include <cmath>
#include <cstdint>
#include <utility>

#include "sim/core/error.hpp"
#include "sim/core/units_format.hpp"

namespace switchyard {

void check_count(SpecProblems& problems, std::string_view key, int count, int minimum) {
  if (count < minimum)
    problems.push_back(
        {std::string{key}, fmt::format("expected at least {}, got {}", minimum, count)});
}

void check_link(SpecProblems& problems, std::string_view key, const LinkSpec& link) {
  const double rate = link.bandwidth.base();
  if (!(rate > 0.0) || !std::isfinite(rate))
    problems.push_back({fmt::format("{}.bandwidth", key),
                        fmt::format("must be positive and finite, got {}", link.bandwidth)});
  if (!(link.latency >= Seconds{0}) || !std::isfinite(link.latency.base()))
    problems.push_back({fmt::format("{}.latency", key),
                        fmt::format("must be finite and not negative, got {}", link.latency)});
}

void check_num_ranks(SpecProblems& problems, std::string_view key,
                     const std::vector<int>& factors) {
  std::int64_t ranks = 1;
  for (const int factor : factors)
    if (factor > 0 && ranks <= kMaxRanks) ranks *= factor;
  if (ranks > kMaxRanks)
    problems.push_back({std::string{key}, fmt::format("at most {} ranks are supported, this has {}",
                                                      kMaxRanks, fmt::join(factors, " x "))});
}

SpecProblems below(std::string_view parent, SpecProblems problems) {
  for (SpecProblem& problem : problems)
    problem.key =
        problem.key.empty() ? std::string{parent} : fmt::format("{}.{}", parent, problem.key);
  return problems;
}

void throw_if_any(std::string_view kind, const SpecProblems& problems) {
  if (problems.empty()) return;
  std::string text = fmt::format("{}:", kind);
  for (const SpecProblem& problem : problems)
    text += fmt::format("\n  {}{}{}", problem.key, problem.key.empty() ? "" : ": ", problem.text);
  throw ConfigError(text);
}

}  // namespace switchyard
