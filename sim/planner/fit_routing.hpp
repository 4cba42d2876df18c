#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "sim/planner/expert_chain.hpp"

namespace switchyard {

/// How often choices repeat in one layer on the texts of one data set.
struct LocalityMeasurement {
  std::string dataset;
  int layer = 0;
  ChoiceRepeats repeats;
};

/// A layer's tilts fitted to one measurement: two numbers to two numbers.
struct LocalityRow {
  LocalityMeasurement measured;
  double first_tilt = 0;
  double second_tilt = 0;
  ChoiceRepeats fitted;
};

/// The chains of all layers and data sets.
struct LocalityFit {
  int num_experts = 8;
  double popularity_sigma = 0;  ///< of all layers: lognormal_quantile_shares()
  std::vector<LocalityRow> rows;
  /// One row for each layer, `dataset` "all": fitted to the mean over data sets. For a model with
  /// one pair of tilts per layer that is the least-squares fit to all its cells: the sum of squares
  /// about any two reachable numbers is least about the means.
  std::vector<LocalityRow> all;
};

/// The chain of a row.
[[nodiscard]] ExpertChain expert_chain(const LocalityFit& fit, const LocalityRow& row);

/// Fits each row's tilts, from -1 to 9, to its two shares: as many parameters as numbers, so that
/// the chain reproduces them says nothing for the chain. Where it cannot, the sum of squares of the
/// two errors is least.
/// Precondition: at least one measurement (checked).
[[nodiscard]] LocalityFit fit_locality(const std::vector<LocalityMeasurement>& measurements,
                                       double popularity_sigma, int num_experts = 8);

/// Hit rate of a cache of the experts used last (lru_hit_rate()) in each of `num_layers` layers,
/// whose tilts TemporalRouter interpolates between those of `fit.all`.
[[nodiscard]] std::vector<double> lru_hit_rates(const LocalityFit& fit, int num_layers,
                                                int cached_experts);

/// Writes the fitted chains as YAML: `experts`, and under `domains` the lists of layers of "all"
/// and of every data set, each with popularity_sigma, first_tilt and second_tilt.
/// @param comments  lines that begin with '#': the sources of the measurements
void write_temporal_profile(const LocalityFit& fit, const std::vector<std::string>& comments,
                            std::ostream& yaml);

}  // namespace switchyard
