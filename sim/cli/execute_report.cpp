#include "sim/cli/execute_report.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/report/text_table.hpp"

namespace switchyard {
namespace {

using Json = nlohmann::ordered_json;
using kernels::PhaseMeasurement;

/// The parts of a real run that a predicted phase stands for; names as in kernels/ranks/phases.hpp.
const std::array<std::vector<std::string>, kNumMoePhases>& measured_parts() {
  static const std::array<std::vector<std::string>, kNumMoePhases> kParts{
      {{"router", "plan", "router_backward"},
       {"permute", "sort", "combine", "combine_backward", "sort_backward", "permute_backward"},
       {"counts", "dispatch", "return", "return_backward", "dispatch_backward", "counts_backward"},
       {"experts", "experts_backward"},
       {"tensor_all_reduce", "tensor_all_reduce_backward"}}};
  return kParts;
}

double measured_s(const kernels::RunMeasurement& run, const std::string& part) {
  const auto phase = std::ranges::find(run.phases, part, &PhaseMeasurement::name);
  return phase == run.phases.end() ? 0.0 : phase->seconds.median;
}

bool is_forward_only(const ExecutedCase& executed) {
  return executed.measured.spec.mode == kernels::RunMode::kForward;
}

std::string milliseconds(double seconds) { return fmt::format("{:.3g}", 1e3 * seconds); }

std::string error_text(const PhaseComparison& line) {
  return line.measured_s > 0 && line.predicted_s > 0
             ? fmt::format("{:+.0f}", 100 * (line.predicted_s / line.measured_s - 1))
             : "-";
}

std::string order_of(const std::vector<std::pair<double, std::string>>& times) {
  std::vector<std::pair<double, std::string>> sorted = times;
  std::ranges::stable_sort(sorted, {}, &std::pair<double, std::string>::first);
  std::vector<std::string> names;
  for (const auto& [time, name] : sorted) names.push_back(name);
  return fmt::format("{}", fmt::join(names, ", "));
}

double dropped_percent(const kernels::RunMeasurement& run) {
  return run.num_choices > 0
             ? 100.0 * static_cast<double>(run.num_dropped) / static_cast<double>(run.num_choices)
             : 0.0;
}

/// Largest load over the mean, of the layer where that is largest.
double imbalance(const kernels::RunMeasurement& run) {
  double largest = 0;
  for (const auto& loads : run.expert_choices)
    largest = std::max(largest, kernels::max_over_mean(loads));
  return largest;
}

}  // namespace

std::vector<PhaseComparison> compare_phases(const ExecutedCase& executed) {
  const kernels::RunMeasurement& run = executed.measured;
  const double layers =
      run.spec.layers / static_cast<double>(std::max(1, executed.predicted.num_layers));
  std::vector<PhaseComparison> lines;
  for (int i = 0; i < kNumMoePhases; ++i) {
    const auto place = static_cast<std::size_t>(i);
    PhaseComparison line{.name = std::string{phase_name(static_cast<MoePhase>(i))}};
    Seconds predicted = executed.predicted.forward.at(place);
    if (!is_forward_only(executed)) predicted += executed.predicted.backward.at(place);
    line.predicted_s = layers * executed.slowdown * predicted.base();
    line.provenance = executed.predicted.provenance.at(place);
    for (const std::string& part : measured_parts().at(place))
      line.measured_s += measured_s(run, part);
    lines.push_back(line);
  }
  if (!is_forward_only(executed))
    lines.push_back(
        {.name = "gradient sums",
         .predicted_s = layers * executed.slowdown * executed.predicted.gradient_sums.base(),
         .measured_s = measured_s(run, "gradient_all_reduce")});
  PhaseComparison step{.name = "step"};
  for (const PhaseComparison& line : lines) step.predicted_s += line.predicted_s;
  step.measured_s = run.step_s.median;
  lines.push_back(step);
  return lines;
}

std::string execute_tables(const std::vector<ExecutedCase>& cases) {
  std::string text;
  std::vector<std::pair<double, std::string>> predicted;
  std::vector<std::pair<double, std::string>> measured;
  for (const ExecutedCase& executed : cases) {
    const kernels::RunMeasurement& run = executed.measured;
    text += fmt::format(
        "{}: {} layer{}, {} rank{} (data {}, tensor {}, expert {}), {} tokens a data rank, {} "
        "steps on {} ({})\n",
        executed.name, run.spec.layers, run.spec.layers == 1 ? "" : "s", run.num_ranks,
        run.num_ranks == 1 ? "" : "s", run.spec.partition.data, run.spec.partition.tensor,
        run.spec.partition.expert, run.spec.tokens_per_rank, run.spec.steps, run.backend,
        run.instruction_set);
    TextTable table;
    table.columns = {
        {"phase", Alignment::kLeft}, {"predicted\nms"}, {"measured\nms"}, {"error\n%"}};
    for (const PhaseComparison& line : compare_phases(executed))
      table.rows.push_back({line.name, milliseconds(line.predicted_s),
                            milliseconds(line.measured_s), error_text(line)});
    text += format(table, 100);
    text += fmt::format(
        "step p10 {} ms, p90 {} ms; dropped {:.3g} %{}, largest load {:.3g} x "
        "mean; all-to-all {:.3g} MB sent, gradient sums {:.3g} MB\n{}\n",
        milliseconds(run.step_s.p10), milliseconds(run.step_s.p90), dropped_percent(run),
        executed.predicted_dropped_fraction
            ? fmt::format(" (predicted {:.3g})", 100.0 * *executed.predicted_dropped_fraction)
            : "",
        imbalance(run), static_cast<double>(run.all_to_all_bytes) / 1e6,
        static_cast<double>(run.gradient_all_reduce_bytes) / 1e6,
        executed.slowdown > 1
            ? fmt::format("predicted times are {:.3g} times those of a core for each thread\n",
                          executed.slowdown)
            : "");
    if (!executed.speed.empty())
      text += fmt::format("predicted from measured kernels: {} speed\n", executed.speed);
    predicted.emplace_back(compare_phases(executed).back().predicted_s, executed.name);
    measured.emplace_back(run.step_s.median, executed.name);
  }
  if (cases.size() > 1)
    text += fmt::format("fastest first, predicted: {}\nfastest first, measured:  {}\n",
                        order_of(predicted), order_of(measured));
  return text;
}

Json execute_json(const std::vector<ExecutedCase>& cases) {
  Json list = Json::array();
  for (const ExecutedCase& executed : cases) {
    const kernels::RunMeasurement& run = executed.measured;
    Json phases = Json::array();
    for (const PhaseComparison& line : compare_phases(executed)) {
      phases.push_back({{"name", line.name},
                        {"predicted_s", line.predicted_s},
                        {"measured_s", line.measured_s}});
      if (line.provenance) phases.back()["provenance"] = provenance_name(*line.provenance);
    }
    Json parts = Json::array();
    for (const PhaseMeasurement& part : run.phases)
      parts.push_back({{"name", part.name},
                       {"median_s", part.seconds.median},
                       {"p10_s", part.seconds.p10},
                       {"p90_s", part.seconds.p90}});
    list.push_back({{"name", executed.name},
                    {"num_ranks", run.num_ranks},
                    {"layers", run.spec.layers},
                    {"tokens_per_rank", run.spec.tokens_per_rank},
                    {"backend", run.backend},
                    {"instruction_set", run.instruction_set},
                    {"slowdown", executed.slowdown},
                    {"phases", phases},
                    {"measured_parts", parts},
                    {"step_p10_s", run.step_s.p10},
                    {"step_p90_s", run.step_s.p90},
                    {"choices", run.num_choices},
                    {"dropped", run.num_dropped},
                    {"predicted_dropped_fraction", executed.predicted_dropped_fraction
                                                       ? Json(*executed.predicted_dropped_fraction)
                                                       : Json(nullptr)},
                    {"expert_choices", run.expert_choices},
                    {"all_to_all_bytes", run.all_to_all_bytes},
                    {"tensor_all_reduce_bytes", run.tensor_all_reduce_bytes},
                    {"gradient_all_reduce_bytes", run.gradient_all_reduce_bytes}});
    if (!executed.speed.empty()) list.back()["speed"] = executed.speed;
  }
  return {{"cases", list}};
}

}  // namespace switchyard
