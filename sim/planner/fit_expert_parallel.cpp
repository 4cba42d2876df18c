#include "sim/planner/fit_expert_parallel.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "sim/core/error.hpp"
#include "sim/planner/minimize.hpp"

namespace switchyard {
namespace {

using Direction = TransferDirection;
using Mode = ExpertParallelModeKind;

constexpr int kShapePhases = 3;
constexpr std::array kDirections{Direction::kDispatch, Direction::kCombine};

bool is_one_node(const ExpertParallelMeasurement& row) {
  return row.shape.ranks <= row.shape.ranks_per_node;
}

Seconds transmit_of(const ExpertParallelMeasurement& row, Direction direction) {
  return direction == Direction::kDispatch ? row.dispatch : row.combine;
}

Seconds notify_of(const ExpertParallelMeasurement& row, Direction direction) {
  return direction == Direction::kDispatch ? row.dispatch_notify : row.combine_notify;
}

/// Quadratic for small errors, linear for outliers, which then do not decide.
double huber(double error) {
  constexpr double kLinearFrom = 0.3;
  const double size = std::abs(error);
  return size <= kLinearFrom ? size * size : kLinearFrom * (2 * size - kLinearFrom);
}

double four_digits(double value) {
  if (value == 0.0) return value;
  const double scale = std::pow(10.0, 3 - std::floor(std::log10(std::abs(value))));
  return std::round(value * scale) / scale;
}

Seconds microseconds(double number) { return Seconds{number / 1e6}; }

/// A constant of a step: its range, and what puts a value into the profile. Times in us.
struct Unknown {
  SearchRange range;
  std::function<void(double)> set;
};

Unknown time_unknown(SearchRange microsecond_range, Seconds& constant) {
  return {microsecond_range, [&constant](double value) { constant = microseconds(value); }};
}

Unknown number_unknown(SearchRange range, double& constant) {
  return {range, [&constant](double value) { constant = value; }};
}

void fit_step(const std::vector<Unknown>& unknowns, const std::function<double()>& cost) {
  std::vector<SearchRange> ranges;
  for (const Unknown& unknown : unknowns) ranges.push_back(unknown.range);
  const auto set = [&](const std::vector<double>& values) {
    for (std::size_t i = 0; i < unknowns.size(); ++i) unknowns[i].set(values[i]);
  };
  std::vector<double> best = minimize(
      [&](const std::vector<double>& values) {
        set(values);
        return cost();
      },
      ranges);
  for (double& value : best) value = four_digits(value);
  set(best);
}

/// The fit in progress.
class Fitter {
 public:
  Fitter(const std::vector<ExpertParallelMeasurement>& measured, const std::vector<bool>& held_out,
         ExpertParallelProfile& profile)
      : profile_{profile} {
    for (std::size_t i = 0; i < measured.size(); ++i)
      if (!held_out[i]) seen_.push_back(measured[i]);
  }

  void fit_low_latency_in_node(Direction direction) {
    LowLatencyConstants& c = low_latency(direction);
    fit_step(
        {time_unknown({8, 0, 40}, c.startup), time_unknown({0.01, 0, 0.1}, c.per_expert),
         time_unknown({1, 0, 5}, c.per_token), time_unknown({100, 0, 500}, c.per_token_megabyte),
         time_unknown({20, 0, 200}, c.per_message_megabyte),
         number_unknown({0.65, 0.1, 1}, c.scale_up_efficiency)},
        transmit_cost(rows(Mode::kLowLatency, true), direction));
  }

  void fit_low_latency_between_nodes() {
    const auto between = rows(Mode::kLowLatency, false);
    const auto dispatch = transmit_cost(between, Direction::kDispatch);
    const auto combine = transmit_cost(between, Direction::kCombine);
    fit_step({time_unknown({20, 0, 100}, low_latency(Direction::kDispatch).startup_between),
              time_unknown({20, 0, 100}, low_latency(Direction::kCombine).startup_between),
              number_unknown({0.9, 0.3, 1}, profile_.scale_out_efficiency)},
             [=] { return dispatch() + combine(); });
  }

  void fit_normal_in_node(Direction direction) {
    NormalTransferConstants& c = normal(direction);
    fit_step(
        {time_unknown({25, 0, 100}, c.startup), number_unknown({4, 0, 40}, c.pipeline_depth),
         time_unknown({0.3, 0, 3}, c.per_token), time_unknown({50, 0, 500}, c.per_token_megabyte),
         time_unknown({40, 0, 500}, c.per_rank_megabyte),
         number_unknown({0.75, 0.1, 1}, c.scale_up_efficiency)},
        transmit_cost(rows(Mode::kNormal, true), direction));
  }

  void fit_normal_between_nodes(Direction direction) {
    NormalTransferConstants& c = normal(direction);
    fit_step({time_unknown({25, 0, 200}, c.startup_between),
              time_unknown({100, 0, 1000}, c.per_node_megabyte)},
             transmit_cost(rows(Mode::kNormal, false), direction));
  }

  void fit_notify(Direction direction) {
    NormalTransferConstants& c = normal(direction);
    fit_step({time_unknown({30, 0, 200}, c.notify), number_unknown({0.01, 0, 0.2}, c.notify_share)},
             [this, direction, &c, between = rows(Mode::kNormal, false)] {
               double sum = 0;
               for (const auto& row : between) {
                 const Seconds measured = notify_of(row, direction);
                 const Seconds notify = c.notify + c.notify_share * transmit_of(row, direction);
                 sum += huber(std::log(std::max(notify / measured, 1e-9)));
               }
               return sum;
             });
  }

 private:
  NormalTransferConstants& normal(Direction direction) {
    return direction == Direction::kDispatch ? profile_.normal.dispatch : profile_.normal.combine;
  }
  LowLatencyConstants& low_latency(Direction direction) {
    return direction == Direction::kDispatch ? profile_.low_latency.dispatch
                                             : profile_.low_latency.combine;
  }

  [[nodiscard]] std::vector<ExpertParallelMeasurement> rows(Mode mode, bool in_one_node) const {
    std::vector<ExpertParallelMeasurement> chosen;
    for (const ExpertParallelMeasurement& row : seen_)
      if (row.mode == mode && is_one_node(row) == in_one_node) chosen.push_back(row);
    SWITCHYARD_CHECK(!chosen.empty(), "no rows of {} mode {} to fit to",
                     mode == Mode::kNormal ? "normal" : "low-latency",
                     in_one_node ? "in one node" : "over two nodes");
    return chosen;
  }

  [[nodiscard]] std::function<double()> transmit_cost(std::vector<ExpertParallelMeasurement> chosen,
                                                      Direction direction) const {
    return [this, direction, chosen = std::move(chosen)] {
      double sum = 0;
      for (const ExpertParallelMeasurement& row : chosen)
        sum += huber(
            std::log(predict(profile_, profile_.links, row.mode, row.shape, direction).transmit /
                     transmit_of(row, direction)));
      return sum;
    };
  }

  ExpertParallelProfile& profile_;
  std::vector<ExpertParallelMeasurement> seen_;
};

void set_bands(ExpertParallelFit& fit) {
  const auto bands = [&](Mode mode, Direction direction) {
    return ExpertParallelBands{
        .one_node_p90 = four_digits(held_out_error(fit.rows, mode, 8, direction).p90),
        .two_nodes_p90 = four_digits(held_out_error(fit.rows, mode, 16, direction).p90)};
  };
  fit.profile.normal.dispatch_bands = bands(Mode::kNormal, Direction::kDispatch);
  fit.profile.normal.combine_bands = bands(Mode::kNormal, Direction::kCombine);
  fit.profile.low_latency.dispatch_bands = bands(Mode::kLowLatency, Direction::kDispatch);
  fit.profile.low_latency.combine_bands = bands(Mode::kLowLatency, Direction::kCombine);
}

}  // namespace

std::vector<bool> held_out_rows(const std::vector<ExpertParallelMeasurement>& rows,
                                int shape_phase) {
  SWITCHYARD_CHECK(shape_phase >= 0 && shape_phase < kShapePhases, "phase {}", shape_phase);
  const auto shape_of = [](const ExpertParallelMeasurement& row) {
    return std::tuple{row.shape.d_model, row.shape.top_k, row.shape.num_experts};
  };
  using Group = std::pair<Mode, bool>;
  const auto group_of = [](const ExpertParallelMeasurement& row) {
    return Group{row.mode, is_one_node(row)};
  };
  std::map<Group, std::set<decltype(shape_of(rows.front()))>> shapes;
  std::map<Group, std::set<double>> tokens;
  for (const ExpertParallelMeasurement& row : rows) {
    shapes[group_of(row)].insert(shape_of(row));
    tokens[group_of(row)].insert(row.shape.tokens_per_rank);
  }
  const auto index = [](const auto& set, const auto& item) {
    return std::distance(set.begin(), set.find(item));
  };
  std::vector<bool> is_held_out;
  for (const ExpertParallelMeasurement& row : rows) {
    const auto shape = index(shapes[group_of(row)], shape_of(row));
    const auto token = index(tokens[group_of(row)], row.shape.tokens_per_rank);
    is_held_out.push_back(is_one_node(row) ? shape % kShapePhases == shape_phase
                                           : shape > 0 || token % 2 == 1);
  }
  return is_held_out;
}

std::vector<ExpertParallelRow> each_shape_held_out_once(
    const std::vector<ExpertParallelMeasurement>& measured, const ExpertParallelLinks& links) {
  std::vector<ExpertParallelRow> held_out;
  for (int phase = 0; phase < kShapePhases; ++phase)
    for (const ExpertParallelRow& row :
         fit_expert_parallel(measured, held_out_rows(measured, phase), links).rows)
      if (row.is_held_out && is_one_node(row.measurement)) held_out.push_back(row);
  return held_out;
}

TransferTime predict(const ExpertParallelProfile& profile, const ExpertParallelLinks& links,
                     ExpertParallelModeKind mode, const ExpertParallelShape& shape,
                     TransferDirection direction) {
  return mode == Mode::kNormal ? normal_transfer_time(profile, links, shape, direction)
                               : low_latency_transfer_time(profile, links, shape, direction);
}

ExpertParallelFit fit_expert_parallel(const std::vector<ExpertParallelMeasurement>& measured,
                                      const std::vector<bool>& is_held_out,
                                      const ExpertParallelLinks& links) {
  SWITCHYARD_CHECK(!measured.empty() && measured.size() == is_held_out.size(), "{} rows, {} flags",
                   measured.size(), is_held_out.size());
  ExpertParallelFit fit;
  fit.profile.name = measured.front().system;
  fit.profile.library = measured.front().library;
  fit.profile.links = links;
  Fitter fitter{measured, is_held_out, fit.profile};
  for (const Direction direction : kDirections) fitter.fit_low_latency_in_node(direction);
  fitter.fit_low_latency_between_nodes();
  for (const Direction direction : kDirections) {
    fitter.fit_normal_in_node(direction);
    fitter.fit_normal_between_nodes(direction);
    fitter.fit_notify(direction);
  }
  for (std::size_t i = 0; i < measured.size(); ++i)
    for (const Direction direction : kDirections) {
      const ExpertParallelMeasurement& row = measured[i];
      fit.rows.push_back(
          {.measurement = row,
           .direction = direction,
           .measured = transmit_of(row, direction) + notify_of(row, direction),
           .predicted = predict(fit.profile, links, row.mode, row.shape, direction).total(),
           .is_held_out = is_held_out[i]});
    }
  set_bands(fit);
  return fit;
}

HeldOutError held_out_error(const std::vector<ExpertParallelRow>& rows, ExpertParallelModeKind mode,
                            int ranks, TransferDirection direction) {
  std::vector<double> errors;
  for (const ExpertParallelRow& row : rows)
    if (row.is_held_out && row.measurement.mode == mode && row.direction == direction &&
        row.measurement.shape.ranks == ranks)
      errors.push_back(row.error());
  return summarize(errors);
}

}  // namespace switchyard
