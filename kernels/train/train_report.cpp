#include <algorithm>
#include <cstdio>

#include "kernels/run/json_object.hpp"
#include "kernels/train/train.hpp"

namespace switchyard::kernels {
namespace {

std::string row(const std::string& name, const TrainStep& step) {
  char line[160];
  std::snprintf(line, sizeof line, "%-14s %10.4f %10.5f %9.2f %10.3f %10.3f\n", name.c_str(),
                step.loss, step.aux_loss, 100.0 * step.right_fraction,
                100.0 * step.dropped_fraction, step.load_max_over_mean);
  return line;
}

std::string step_json(const TrainStep& step) {
  return JsonObject{6}
      .add("loss_nat", step.loss)
      .add("aux_loss", step.aux_loss)
      .add("right_fraction", step.right_fraction)
      .add("dropped_fraction", step.dropped_fraction)
      .add("load_max_over_mean", step.load_max_over_mean)
      .text();
}

std::size_t last_quarter(const TrainResult& result) { return result.steps.size() * 3 / 4; }

}  // namespace

TrainStep mean_of_steps(const TrainResult& result, std::size_t begin) {
  TrainStep mean;
  const auto count = static_cast<double>(result.steps.size() - begin);
  for (std::size_t i = begin; i < result.steps.size(); ++i) {
    const TrainStep& step = result.steps[i];
    mean.loss += step.loss / count;
    mean.aux_loss += step.aux_loss / count;
    mean.right_fraction += step.right_fraction / count;
    mean.dropped_fraction += step.dropped_fraction / count;
    mean.load_max_over_mean += step.load_max_over_mean / count;
  }
  return mean;
}

std::string train_table(const TrainResult& result) {
  std::string text = "step             loss_nat   aux_loss   right_%  dropped_%   max/mean\n";
  const std::size_t every = std::max<std::size_t>(1, result.steps.size() / 20);
  for (std::size_t i = 0; i < result.steps.size(); i += every)
    text += row(std::to_string(i), result.steps[i]);
  if (!result.steps.empty())
    text += row("last quarter", mean_of_steps(result, last_quarter(result)));
  return result.stopped.empty() ? text : text + "stopped: " + result.stopped + "\n";
}

std::string train_json(const TrainResult& result) {
  TrainSpec spec = result.spec;
  JsonObject input{4};
  for (const Key& key : train_keys(spec)) input.add(key.name, key.write());
  std::vector<std::string> steps;
  for (const TrainStep& step : result.steps) steps.push_back(step_json(step));
  JsonObject json;
  json.add("schema_version", std::int64_t{kTrainSchemaVersion}).raw("train", input.text());
  if (!result.steps.empty())
    json.raw("last_quarter", step_json(mean_of_steps(result, last_quarter(result))));
  return json.add("stopped", result.stopped).raw("steps", json_array(steps, 4)).text() + "\n";
}

}  // namespace switchyard::kernels
