#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/cli/compare/observed_step.hpp"
#include "sim/cli/csv_reader.hpp"
#include "sim/cli/message_text.hpp"

namespace switchyard {

ObservedStep read_observed_classes(const std::string& text, const std::string& file) {
  CsvReader csv{file, text};
  csv.require({"class", "time_us"});
  std::vector<std::string> names;
  for (int i = 0; i < kNumTimeClasses; ++i)
    names.emplace_back(time_class_name(static_cast<TimeClass>(i)));
  names.insert(names.end(), {"idle", "step"});
  std::vector<bool> is_given(names.size(), false);
  ObservedStep result{.name = "as given"};
  Seconds sum;
  while (csv.next_row()) {
    const std::string& name = csv.text("class");
    const Seconds time{csv.number("time_us", 0) / 1e6};
    const auto place = static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
    if (place == names.size()) {
      csv.problem(fmt::format("class: expected one of {}, got {}{}", fmt::join(names, ", "),
                              in_quotes(name), did_you_mean(name, names)));
      continue;
    }
    if (is_given[place]) csv.problem(fmt::format("class: {} was given above", name));
    is_given[place] = true;
    if (place < result.times.size())
      result.times[place] = time;
    else
      (name == "idle" ? result.idle : result.span) = time;
    if (name != "step") sum += time;
  }
  if (sum == Seconds{}) csv.problem("expected rows with times above 0");
  csv.throw_if_any();
  if (result.span == Seconds{}) result.span = sum;
  if (!is_given[static_cast<std::size_t>(kNumTimeClasses)])
    result.idle = std::max(Seconds{}, result.span - sum);
  return result;
}

}  // namespace switchyard
