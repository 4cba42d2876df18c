#include "sim/cli/experiment.hpp"

#include <algorithm>

#include "sim/cli/message_text.hpp"
#include "sim/cli/override.hpp"
#include "sim/cli/read_run.hpp"
#include "sim/cli/yaml_document.hpp"

namespace switchyard {
namespace {

/// What an entry of `cases` says, apart from its changes.
struct CaseHeader {
  std::string name;
  std::optional<PublishedRate> published;
  const YamlNode* changes = nullptr;
};

std::string text_of(const YamlNode& node) {
  return node.kind == YamlNode::Kind::kScalar ? node.scalar : describe(node);
}

PublishedRate read_published(Section section) {
  PublishedRate published;
  published.examples_rate =
      PerSecond{section.number("examples_per_s", "Measured examples per second.", {.above = 0.0})};
  published.role = section.choice<Role>("role", "Whether the figure was used to fit a constant.",
                                        {{"fit", Role::kFit}, {"predicted", Role::kPredicted}});
  published.source = section.text("source", "Where it was printed.");
  section.finish();
  return published;
}

CaseHeader read_case(Section section) {
  CaseHeader header;
  header.name = section.text("name", "Name in tables; one of its kind.");
  header.changes =
      section.raw("set", "Changes: dotted path of a key to its new value.", {{"type", "object"}});
  if (auto published = section.optional_subsection("published", "What was measured."))
    header.published = read_published(std::move(*published));
  section.finish();
  return header;
}

RatioSpec read_ratio(Section section) {
  RatioSpec ratio;
  ratio.name = section.text("name", "Name in tables.");
  ratio.of = section.text("of", "Case whose examples/s are divided.");
  ratio.to = section.text("to", "Case by whose examples/s they are divided.");
  ratio.published = section.number("published", "The published ratio.", {.above = 0.0});
  ratio.tolerance = section.fraction("tolerance", "Relative error that is accepted.");
  section.finish();
  return ratio;
}

/// The keys around the run: everything an experiment file has that a run does not.
struct Frame {
  std::string name;
  std::string title;
  std::vector<CaseHeader> cases;
  const YamlNode* sweep = nullptr;
  std::vector<RatioSpec> ratios;
  std::vector<std::string> leave_one_out;
};

Frame read_frame(Section& section) {
  Frame frame;
  frame.name = section.text("name", "Name of the experiment, used for files.");
  frame.title = section.optional_text("title", "The question it answers.", frame.name);
  frame.cases = section.optional_sections(
      "cases", "Variants of the run, each with its own changes.", read_case, {.min = 1});
  frame.sweep = section.raw("sweep",
                            "Dotted path of a key to the list of values it takes; several "
                            "paths give every combination.",
                            {{"type", "object"}});
  frame.ratios = section.optional_sections("ratios", "Published ratios of two cases.", read_ratio);
  frame.leave_one_out = section.optional_list(
      "leave_one_out", "Cases that are each predicted by constants fitted to the others.",
      types::text(), {});
  return frame;
}

/// One point of a sweep: paths and the values they take.
using SweepPoint = std::vector<std::pair<std::string, const YamlNode*>>;

std::vector<SweepPoint> sweep_points(const YamlNode* sweep, Diagnostics& diagnostics) {
  std::vector<SweepPoint> points = {{}};
  if (sweep == nullptr) return points;
  if (sweep->kind != YamlNode::Kind::kMap) {
    diagnostics.add(sweep->place, "sweep",
                    "expected a mapping of paths to lists of values, got " + describe(*sweep));
    return points;
  }
  for (const auto& entry : sweep->entries) {
    if (entry.value.kind != YamlNode::Kind::kList || entry.value.items.empty()) {
      diagnostics.add(entry.value.place, "sweep." + entry.key,
                      "expected a list of at least one value, got " + describe(entry.value));
      continue;
    }
    std::vector<SweepPoint> longer;
    for (const SweepPoint& point : points)
      for (const YamlNode& value : entry.value.items) {
        longer.push_back(point);
        longer.back().emplace_back(entry.key, &value);
      }
    points = std::move(longer);
    if (points.size() > 100'000) {
      diagnostics.add(entry.key_place, "sweep", "expected at most 100000 points in all");
      return {{}};
    }
  }
  return points;
}

void apply_changes(YamlNode& run, const YamlNode* changes, Diagnostics& diagnostics) {
  if (changes == nullptr) return;
  if (changes->kind != YamlNode::Kind::kMap) {
    diagnostics.add(changes->place, "set",
                    "expected a mapping of paths to values, got " + describe(*changes));
    return;
  }
  for (const auto& entry : changes->entries) set_value(run, entry.key, entry.value, diagnostics);
}

/// The frame alone, its problems set aside: every point reads it again.
Frame peek_frame(const YamlNode& root) {
  Diagnostics set_aside;
  Section section{root, "", set_aside};
  Frame frame = read_frame(section);
  section.finish();
  if (frame.cases.empty())
    frame.cases.push_back({.name = frame.name, .published = {}, .changes = nullptr});
  return frame;
}

ExperimentCase read_point(const YamlNode& root, const CaseHeader& header, const SweepPoint& point,
                          Diagnostics& diagnostics) {
  YamlNode changed = root;
  apply_changes(changed, header.changes, diagnostics);
  ExperimentCase result{.name = header.name, .run = {}, .published = header.published};
  for (const auto& [path, value] : point) {
    set_value(changed, path, *value, diagnostics);
    result.name += fmt::format("{}{}={}", result.name.empty() ? "" : " ", path, text_of(*value));
  }
  Section section{changed, "", diagnostics};
  (void)read_frame(section);
  result.run = read_training_run(section);
  section.finish();
  return result;
}

/// Reports a problem at a key of the file.
void add_problem(const YamlNode& root, std::string_view key, const std::string& text,
                 Diagnostics& diagnostics) {
  const YamlNode::Entry* entry = root.find(key);
  diagnostics.add(entry == nullptr ? root.place : entry->value.place, key, text);
}

/// Reports a name that is none of the cases'.
void check_name(const YamlNode& root, std::string_view key, const std::string& name,
                const std::vector<std::string>& names, Diagnostics& diagnostics) {
  if (std::ranges::find(names, name) == names.end())
    add_problem(root, key,
                fmt::format("expected the name of a case, got {}{}", in_quotes(name),
                            did_you_mean(name, names)),
                diagnostics);
}

Experiment read_experiment(const YamlNode& root, Diagnostics& diagnostics) {
  const Frame frame = peek_frame(root);
  Experiment experiment{.name = frame.name,
                        .title = frame.title,
                        .seed = 0,
                        .cases = {},
                        .ratios = frame.ratios,
                        .leave_one_out = frame.leave_one_out};
  std::vector<std::string> names;
  const std::vector<SweepPoint> points = sweep_points(frame.sweep, diagnostics);
  for (const CaseHeader& header : frame.cases)
    for (const SweepPoint& point : points) {
      experiment.cases.push_back(read_point(root, header, point, diagnostics));
      const std::string& name = experiment.cases.back().name;
      if (std::ranges::find(names, name) != names.end())
        add_problem(root, "cases", fmt::format("two cases are named {}", in_quotes(name)),
                    diagnostics);
      names.push_back(name);
    }
  experiment.seed = experiment.cases.front().run.seed;
  for (const RatioSpec& ratio : frame.ratios)
    for (const std::string& name : {ratio.of, ratio.to})
      check_name(root, "ratios", name, names, diagnostics);
  for (const std::string& name : frame.leave_one_out)
    check_name(root, "leave_one_out", name, names, diagnostics);
  return experiment;
}

}  // namespace

Experiment load_experiment(const std::filesystem::path& file,
                           std::span<const std::string> overrides) {
  YamlNode root = load_yaml(file);
  apply_overrides(root, overrides);
  Diagnostics diagnostics;
  diagnostics.note_source(root.place);
  if (root.kind != YamlNode::Kind::kMap) {
    diagnostics.add(root.place, "", "expected a mapping of keys to values, got " + describe(root));
    diagnostics.throw_if_any();
  }
  Experiment experiment = read_experiment(root, diagnostics);
  diagnostics.throw_if_any();
  return experiment;
}

Json experiment_schema() {
  return json_schema("Switchyard experiment", [](Section section) {
    (void)read_frame(section);
    (void)read_training_run(section);
    section.finish();
    return 0;
  });
}

}  // namespace switchyard
