#include "sim/cli/calibration/calibration_rows.hpp"

#include <algorithm>
#include <cmath>

#include "cost_models/calibration/fit_kernels.hpp"
#include "sim/core/quantile.hpp"

namespace switchyard {
namespace {

std::string type_name(int element_bytes) { return element_bytes == 2 ? "bfloat16" : "float32"; }

std::vector<CalibrationRow> kernel_rows(const KernelProfile& profile,
                                        const std::vector<KernelPoint>& points) {
  std::vector<CalibrationRow> rows;
  std::vector<KernelBaseline> baselines;
  for (const KernelModel& model : profile.models)
    baselines.push_back(fit_baseline(model, profile.models));
  for (const KernelPoint& point : points) {
    const KernelModel* model = find_model(profile, point.call);
    if (model == nullptr || point.role == PointRole::kLayer) continue;
    const KernelPrediction p = predict_kernel(*model, point.call, profile.tiles);
    const auto place = static_cast<std::size_t>(model - profile.models.data());
    rows.push_back({.name = std::string{kernel_name(point.call.kind)},
                    .type = type_name(point.call.element_bytes),
                    .shape = shape_text(point.call),
                    .busy_ranks = point.call.busy_ranks,
                    .threads = point.call.threads,
                    .role = point.role,
                    .measured = point.time,
                    .predicted = p.time,
                    .low = p.low,
                    .high = p.high,
                    .provenance = p.provenance,
                    .pass_ratio = point.pass_ratio,
                    .roofline = baselines[place].roofline(point.call),
                    .constant = baselines[place].constant});
  }
  return rows;
}

std::vector<CalibrationRow> collective_rows(const LinkProfiles& links,
                                            const std::vector<CollectivePoint>& points) {
  std::vector<CalibrationRow> rows;
  for (const CollectivePoint& point : points) {
    const auto profile = links.find(point.transport);
    if (profile == links.end()) continue;
    const CollectiveTimes* times = find_times(profile->second, point.kind);
    if (times == nullptr) continue;
    const auto curve = std::ranges::find(times->curves, point.ranks, &TimeCurve::ranks);
    if (curve == times->curves.end()) continue;
    const Seconds time = curve_time(*curve, point.size);
    const double half =
        std::log1p(times->held_out_p90[static_cast<std::size_t>(size_band(point.size))]);
    const bool is_inside = curve->sizes.front() <= point.size && point.size <= curve->sizes.back();
    rows.push_back({.name = collective_kind_name(point.kind),
                    .type = "float32",
                    .shape = fmt::format("bytes={:.0f}", point.size.base()),
                    .transport = point.transport,
                    .ranks = point.ranks,
                    .role = point.role,
                    .measured = point.time,
                    .predicted = time,
                    .low = std::exp(-half) * time,
                    .high = std::exp(half) * time,
                    .provenance = is_inside ? Provenance::kFitted : Provenance::kExtrapolated,
                    .pass_ratio = point.pass_ratio,
                    .roofline = {},
                    .constant = {}});
  }
  return rows;
}

OperatorErrors errors_of(const std::string& name, const std::vector<CalibrationRow>& rows,
                         PointRole role) {
  OperatorErrors result{.name = name};
  std::vector<double> noise;
  std::vector<double> errors;
  std::vector<double> roofline;
  std::vector<double> constant;
  int covered = 0;
  for (const CalibrationRow& row : rows) {
    if (name != "all" && row.name != name) continue;
    if (row.pass_ratio > 1) noise.push_back(row.pass_ratio - 1.0);
    if (row.role == PointRole::kFit) ++result.fitted;
    if (row.role != role) continue;
    ++result.held_out;
    errors.push_back(row.error());
    if (row.roofline > Seconds{}) roofline.push_back(row.roofline / row.measured - 1.0);
    if (row.constant > Seconds{}) constant.push_back(row.constant / row.measured - 1.0);
    if (row.is_covered()) ++covered;
    if (result.worst == nullptr || std::abs(row.error()) > std::abs(result.worst->error()))
      result.worst = &row;
  }
  if (!noise.empty()) result.noise = quantile(noise, 0.5);
  result.error = summarize_errors(errors);
  result.roofline = summarize_errors(roofline);
  result.constant = summarize_errors(constant);
  if (result.held_out > 0) result.coverage = static_cast<double>(covered) / result.held_out;
  return result;
}

}  // namespace

std::vector<CalibrationRow> calibration_rows(const KernelProfile& profile,
                                             const LinkProfiles& links,
                                             const MeasuredPoints& points) {
  std::vector<CalibrationRow> rows = kernel_rows(profile, points.kernels);
  const auto place = [](const CalibrationRow& row) { return kernel_of_name(row.name); };
  std::ranges::stable_sort(rows, {}, place);
  std::ranges::move(collective_rows(links, points.collectives), std::back_inserter(rows));
  return rows;
}

std::vector<OperatorErrors> operator_errors(const std::vector<CalibrationRow>& rows,
                                            PointRole role) {
  std::vector<OperatorErrors> result;
  for (const CalibrationRow& row : rows)
    if (std::ranges::find(result, row.name, &OperatorErrors::name) == result.end())
      result.push_back(errors_of(row.name, rows, role));
  if (result.size() > 1) result.push_back(errors_of("all", rows, role));
  return result;
}

}  // namespace switchyard
