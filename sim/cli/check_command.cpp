#include <memory>

#include <CLI/CLI.hpp>

#include "sim/cli/commands.hpp"
#include "sim/cli/experiment.hpp"
#include "sim/core/units_format.hpp"
#include "sim/engine/run_memory.hpp"

namespace switchyard {

void add_check(CLI::App& program) {
  const auto file = std::make_shared<std::string>();
  const auto overrides = std::make_shared<std::vector<std::string>>();
  auto* command = program.add_subcommand(
      "check", "Read an experiment, report every problem, say what it would run");
  command->footer("Example: switchyard check experiments/table1.yaml");
  command->add_option("file", *file, "Experiment file (YAML)")->required();
  command->add_option("--set", *overrides, "Change a field: path=value; may be repeated")
      ->allow_extra_args(false);
  command->callback([file, overrides] {
    const Experiment experiment = load_experiment(*file, *overrides);
    fmt::print("{}: {} case{}\n", experiment.name, experiment.cases.size(),
               experiment.cases.size() == 1 ? "" : "s");
    for (const ExperimentCase& c : experiment.cases) {
      const TrainingStepSpec step = resolve_microbatch(c.run);
      const MemoryEstimate memory = fullest(memory_by_stage(c.run));
      const Bytes limit = c.run.system.device.memory_capacity * c.run.system.device.memory_usable;
      fmt::print(
          "  {}: {} ranks, {} sequences in microbatches of {} per data rank, {} of {} memory{}{}\n",
          c.name, num_ranks(step.partition), step.sequences, step.microbatch_sequences,
          memory.total(), limit,
          is_moe(step.model) && step.moe.dropless ? " at perfect balance" : "",
          fits(memory, c.run.system.device) ? "" : ": DOES NOT FIT");
    }
  });
}

void add_schema(CLI::App& program) {
  auto* command =
      program.add_subcommand("schema", "Print the JSON Schema of experiment files, for editors");
  command->footer("Example: switchyard schema > experiment.schema.json");
  command->callback([] { fmt::print("{}\n", experiment_schema().dump(2)); });
}

}  // namespace switchyard
