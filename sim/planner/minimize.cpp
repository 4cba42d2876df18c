#include "sim/planner/minimize.hpp"

#include <memory>

#include <nlopt.h>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

struct NloptDeleter {
  void operator()(nlopt_opt optimizer) const { nlopt_destroy(optimizer); }
};

/// Each parameter as a share of its range, so that all move on one scale.
struct Search {
  const std::function<double(const std::vector<double>&)>& cost;
  const std::vector<SearchRange>& ranges;
  std::vector<double> parameters;

  void set(const double* shares) {
    for (std::size_t i = 0; i < ranges.size(); ++i)
      parameters[i] = ranges[i].lowest + shares[i] * (ranges[i].highest - ranges[i].lowest);
  }
};

double evaluate(unsigned /*dimensions*/, const double* shares, double* /*gradient*/, void* data) {
  auto& search = *static_cast<Search*>(data);
  search.set(shares);
  return search.cost(search.parameters);
}

}  // namespace

std::vector<double> minimize(const std::function<double(const std::vector<double>&)>& cost,
                             const std::vector<SearchRange>& ranges, int max_evaluations) {
  SWITCHYARD_CHECK(!ranges.empty(), "no parameter to vary");
  Search search{.cost = cost, .ranges = ranges, .parameters = std::vector<double>(ranges.size())};
  std::vector<double> shares;
  for (const auto& [start, lowest, highest] : ranges) {
    SWITCHYARD_CHECK(lowest < highest && lowest <= start && start <= highest,
                     "start {} in [{}, {}]", start, lowest, highest);
    shares.push_back((start - lowest) / (highest - lowest));
  }
  const std::unique_ptr<nlopt_opt_s, NloptDeleter> optimizer{
      nlopt_create(NLOPT_LN_SBPLX, static_cast<unsigned>(ranges.size()))};
  nlopt_set_min_objective(optimizer.get(), evaluate, &search);
  nlopt_set_lower_bounds1(optimizer.get(), 0.0);
  nlopt_set_upper_bounds1(optimizer.get(), 1.0);
  nlopt_set_initial_step1(optimizer.get(), 0.1);
  nlopt_set_xtol_rel(optimizer.get(), 1e-6);
  nlopt_set_maxeval(optimizer.get(), max_evaluations);
  double least = 0.0;
  const nlopt_result status = nlopt_optimize(optimizer.get(), shares.data(), &least);
  SWITCHYARD_CHECK(status > 0, "the search failed with status {}", static_cast<int>(status));
  search.set(shares.data());
  return search.parameters;
}

}  // namespace switchyard
