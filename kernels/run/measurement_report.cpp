#include "kernels/run/measurement_report.hpp"

#include <cstdio>

#include "kernels/run/json_object.hpp"
#include "kernels/run/number_text.hpp"

namespace switchyard::kernels {
namespace {

std::string spread_json(const Spread& seconds) {
  return "{\"median_s\": " + number_text(seconds.median) +
         ", \"p10_s\": " + number_text(seconds.p10) + ", \"p90_s\": " + number_text(seconds.p90) +
         "}";
}

double dropped_fraction(const RunMeasurement& of) {
  return of.num_choices == 0
             ? 0.0
             : static_cast<double>(of.num_dropped) / static_cast<double>(of.num_choices);
}

/// The keys of the input file; values as text, as they stand there.
std::string spec_json(const RunSpec& spec) {
  RunSpec copy = spec;
  JsonObject json{4};
  for (const Key& key : run_keys(copy)) json.add(key.name, key.write());
  return json.text();
}

std::string layers_json(const RunMeasurement& of) {
  std::vector<std::string> layers;
  for (std::size_t l = 0; l < of.expert_choices.size(); ++l)
    layers.push_back(JsonObject{6}
                         .add("load_max_over_mean", max_over_mean(of.expert_choices[l]))
                         .add("expert_choices", of.expert_choices[l])
                         .add("expert_rows", of.expert_rows[l])
                         .text());
  return json_array(layers, 4);
}

std::string table_row(const std::string& name, const Spread& seconds, double whole) {
  char line[128];
  std::snprintf(line, sizeof line, "%-27s %10.3f %10.3f %10.3f %7.1f\n", name.c_str(),
                1e3 * seconds.median, 1e3 * seconds.p10, 1e3 * seconds.p90,
                100.0 * seconds.median / whole);
  return line;
}

}  // namespace

std::string measurement_json(const RunMeasurement& of, const std::string& predicted) {
  JsonObject phases{4};
  for (const PhaseMeasurement& phase : of.phases)
    phases.raw(phase.name, spread_json(phase.seconds));
  return JsonObject{}
             .add("schema_version", std::int64_t{kRunSchemaVersion})
             .raw("run", spec_json(of.spec))
             .add("num_ranks", std::int64_t{of.num_ranks})
             .add("backend", of.backend)
             .add("instruction_set", of.instruction_set)
             .raw("step", spread_json(of.step_s))
             .raw("forward", spread_json(of.forward_s))
             .raw("backward", spread_json(of.backward_s))
             .raw("phases", phases.text())
             .add("num_choices", of.num_choices)
             .add("num_dropped", of.num_dropped)
             .add("dropped_fraction", dropped_fraction(of))
             .add("rank_rows", rows_of_ranks(of))
             .add("rank_load_max_over_mean", max_over_mean(rows_of_ranks(of)))
             .raw("layers", layers_json(of))
             .add("aux_loss", of.aux_loss)
             .add("z_loss", of.z_loss)
             .add("all_to_all_bytes", of.all_to_all_bytes)
             .add("tensor_all_reduce_bytes", of.tensor_all_reduce_bytes)
             .add("gradient_all_reduce_bytes", of.gradient_all_reduce_bytes)
             .raw("predicted", predicted)
             .text() +
         "\n";
}

std::string measurement_table(const RunMeasurement& of) {
  std::string text = "ranks " + std::to_string(of.num_ranks) + " (data " +
                     std::to_string(of.spec.partition.data) + ", tensor " +
                     std::to_string(of.spec.partition.tensor) + ", expert " +
                     std::to_string(of.spec.partition.expert) + "), backend " + of.backend + " " +
                     of.instruction_set + ", " + std::to_string(of.spec.steps) + " steps\n\n";
  text += "phase, longest of all ranks  median_ms     p10_ms     p90_ms  % step\n";
  for (const PhaseMeasurement& phase : of.phases)
    text += table_row(phase.name, phase.seconds, of.step_s.median);
  text += table_row("forward", of.forward_s, of.step_s.median);
  if (of.spec.mode == RunMode::kForwardBackward)
    text += table_row("backward", of.backward_s, of.step_s.median);
  text += table_row("step", of.step_s, of.step_s.median);
  text += of.spec.chunks == 1
              ? "wait repeats dispatch, tensor_all_reduce and return: leave it out of sums\n"
              : "exchanges run beside the experts: add wait, not dispatch, tensor_all_reduce, "
                "return\n";
  double imbalance = 0.0;
  for (const auto& choices : of.expert_choices)
    imbalance = std::max(imbalance, max_over_mean(choices));
  char line[512];
  std::snprintf(line, sizeof line,
                "\nchoices            %lld, dropped %lld (%.2f %%)\n"
                "load, max / mean   %.3f of experts (worst layer), %.3f of ranks\n"
                "sent to others     %lld B all-to-all, %lld B tensor all-reduce, "
                "%lld B gradient all-reduce (a step, all ranks)\n",
                static_cast<long long>(of.num_choices), static_cast<long long>(of.num_dropped),
                100.0 * dropped_fraction(of), imbalance, max_over_mean(rows_of_ranks(of)),
                static_cast<long long>(of.all_to_all_bytes),
                static_cast<long long>(of.tensor_all_reduce_bytes),
                static_cast<long long>(of.gradient_all_reduce_bytes));
  return text + line;
}

}  // namespace switchyard::kernels
