#include "kernels/run/run_measurement.hpp"

#include <algorithm>
#include <numeric>

namespace switchyard::kernels {

Spread spread_of(std::vector<double> numbers) {
  std::ranges::sort(numbers);
  const auto quantile = [&](double share) {
    const double place = share * static_cast<double>(numbers.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, numbers.size() - 1);
    const double weight = place - static_cast<double>(below);
    return numbers[below] * (1.0 - weight) + numbers[above] * weight;
  };
  return {.median = quantile(0.5), .p10 = quantile(0.1), .p90 = quantile(0.9)};
}

double max_over_mean(const std::vector<std::int64_t>& loads) {
  const auto sum = std::accumulate(loads.begin(), loads.end(), std::int64_t{0});
  if (sum == 0) return 0.0;
  return static_cast<double>(*std::ranges::max_element(loads)) * static_cast<double>(loads.size()) /
         static_cast<double>(sum);
}

std::vector<std::int64_t> rows_of_ranks(const RunMeasurement& measurement) {
  const auto num_parts = static_cast<std::size_t>(measurement.spec.partition.expert);
  std::vector<std::int64_t> rows(num_parts, 0);
  for (const auto& layer : measurement.expert_rows)
    for (std::size_t e = 0; e < layer.size(); ++e) rows[e * num_parts / layer.size()] += layer[e];
  return rows;
}

}  // namespace switchyard::kernels
