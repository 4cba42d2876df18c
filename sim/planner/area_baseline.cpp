#include "sim/planner/area_baseline.hpp"

#include <cmath>
#include <map>

#include "sim/core/error.hpp"
#include "sim/planner/minimize.hpp"

namespace switchyard {
namespace {

constexpr double kLinearFrom = 0.05;
constexpr int kMostEvaluations = 1000;

/// The rows to fit to, by group; every group has some.
std::map<std::string, std::vector<BaselineRow>> fit_rows(std::span<const BaselineRow> rows) {
  std::map<std::string, std::vector<BaselineRow>> groups;
  for (const BaselineRow& row : rows)
    if (row.is_fit) groups[row.group].push_back(row);
  for (const BaselineRow& row : rows)
    SWITCHYARD_CHECK(groups.contains(row.group), "no rows of {} to fit to", row.group);
  return groups;
}

double loss(Seconds time, Seconds measured) {
  return std::sqrt(1.0 + std::pow(std::log(time / measured) / kLinearFrom, 2)) - 1.0;
}

const SearchRange kLogShare{
    .start = std::log(0.5), .lowest = std::log(1e-6), .highest = std::log(10.0)};
const SearchRange kLogStartup{// of microseconds
                              .start = std::log(10.0),
                              .lowest = std::log(0.1),
                              .highest = std::log(1e3)};

double fit_efficiency(const std::vector<BaselineRow>& rows) {
  const auto cost = [&](const std::vector<double>& logs) {
    double sum = 0.0;
    for (const BaselineRow& row : rows) sum += loss(row.limit / std::exp(logs[0]), row.measured);
    return sum;
  };
  return std::exp(minimize(cost, {kLogShare}, kMostEvaluations)[0]);
}

struct StartupAndShare {
  Seconds startup;
  double share = 1.0;
};

StartupAndShare fit_startup_and_share(const std::vector<BaselineRow>& rows) {
  const auto read = [](const std::vector<double>& logs) {
    return StartupAndShare{Seconds{std::exp(logs[0]) * 1e-6}, std::exp(logs[1])};
  };
  const auto cost = [&](const std::vector<double>& logs) {
    const StartupAndShare fitted = read(logs);
    double sum = 0.0;
    for (const BaselineRow& row : rows)
      sum += loss(fitted.startup + row.limit / fitted.share, row.measured);
    return sum;
  };
  return read(minimize(cost, {kLogStartup, kLogShare}, kMostEvaluations));
}

}  // namespace

std::vector<Seconds> one_efficiency(std::span<const BaselineRow> rows) {
  std::map<std::string, double> efficiency;
  for (const auto& [group, of_group] : fit_rows(rows)) efficiency[group] = fit_efficiency(of_group);
  std::vector<Seconds> times;
  for (const BaselineRow& row : rows) times.push_back(row.limit / efficiency.at(row.group));
  return times;
}

std::vector<Seconds> one_startup_and_rate(std::span<const BaselineRow> rows) {
  std::map<std::string, StartupAndShare> fitted;
  for (const auto& [group, of_group] : fit_rows(rows))
    fitted[group] = fit_startup_and_share(of_group);
  std::vector<Seconds> times;
  for (const BaselineRow& row : rows) {
    const StartupAndShare& of_group = fitted.at(row.group);
    times.push_back(of_group.startup + row.limit / of_group.share);
  }
  return times;
}

}  // namespace switchyard
