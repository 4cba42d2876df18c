#include "sim/cli/experiment.hpp"

#include <algorithm>

#include "sim/cli/message_text.hpp"
#include "sim/cli/override.hpp"
#include "sim/cli/read_run.hpp"
#include "sim/cli/sweep.hpp"
#include "sim/cli/yaml_document.hpp"

namespace switchyard {
namespace {

/// What an entry of `cases` says, apart from its changes.
struct CaseHeader {
  std::string name;
  std::optional<PublishedRate> published;
  const YamlNode* changes = nullptr;
};

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
  if (header.changes != nullptr && header.changes->kind != YamlNode::Kind::kMap) {
    section.problem("set",
                    "expected a mapping of paths to values, got " + describe(*header.changes));
    header.changes = nullptr;
  }
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
  if (header.changes != nullptr)
    for (const auto& [path, place, value] : header.changes->entries)
      apply_change(changed, {.path = path, .path_place = place, .value = &value}, diagnostics);
  ExperimentCase result{.name = header.name, .run = {}, .published = header.published};
  for (const Change& change : point) apply_change(changed, change, diagnostics);
  if (!point.empty()) result.name += (result.name.empty() ? "" : " ") + point_name(point);
  Section section{changed, "", diagnostics};
  (void)read_frame(section);
  result.run = read_training_run(section);
  section.finish();
  return result;
}

/// The items of a list of the file; none where there is no such list.
std::span<const YamlNode> items_under(const YamlNode& root, std::string_view key) {
  const YamlNode::Entry* entry = root.find(key);
  if (entry == nullptr) return {};
  return entry->value.items;
}

/// Reports cases that have the name of an earlier one.
void check_case_names(const YamlNode& root, Diagnostics& diagnostics) {
  std::vector<std::string> names;
  const auto cases = items_under(root, "cases");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const YamlNode::Entry* name = cases[i].find("name");
    if (name == nullptr || name->value.kind != YamlNode::Kind::kScalar) continue;
    if (std::ranges::find(names, name->value.scalar) != names.end())
      diagnostics.add(
          name->value.place, child_path(item_path("cases", i), "name"),
          fmt::format("another case is already named {}", in_quotes(name->value.scalar)));
    names.push_back(name->value.scalar);
  }
}

/// Reports a name that is none of the cases'.
void check_reference(const YamlNode& given, const std::string& path,
                     const std::vector<std::string>& names, Diagnostics& diagnostics) {
  if (given.kind != YamlNode::Kind::kScalar) return;  // reported as no text
  if (std::ranges::find(names, given.scalar) != names.end()) return;
  constexpr std::size_t kMaxListed = 20;
  std::string hint = did_you_mean(given.scalar, names);
  if (hint.empty() && names.size() <= kMaxListed)
    hint = fmt::format("; there are {}", fmt::join(names, ", "));
  diagnostics.add(
      given.place, path,
      fmt::format("expected the name of a case, got {}{}", in_quotes(given.scalar), hint));
}

void check_references(const YamlNode& root, const std::vector<std::string>& names,
                      Diagnostics& diagnostics) {
  const auto ratios = items_under(root, "ratios");
  for (std::size_t i = 0; i < ratios.size(); ++i)
    for (const std::string_view key : {"of", "to"})
      if (const YamlNode::Entry* entry = ratios[i].find(key))
        check_reference(entry->value, child_path(item_path("ratios", i), key), names, diagnostics);
  const auto left_out = items_under(root, "leave_one_out");
  for (std::size_t i = 0; i < left_out.size(); ++i)
    check_reference(left_out[i], item_path("leave_one_out", i), names, diagnostics);
}

/// Reports a change on the command line that every case, or the sweep, changes again.
void check_overrides(const Frame& frame, std::span<const std::string> overrides,
                     Diagnostics& diagnostics) {
  const auto changes_it = [](const YamlNode* changes, std::string_view assignment) {
    return changes != nullptr &&
           std::ranges::any_of(changes->entries, [&](const YamlNode::Entry& entry) {
             return path_covers(entry.key, assignment);
           });
  };
  for (const std::string& assignment : overrides) {
    const bool by_sweep = changes_it(frame.sweep, assignment);
    const bool by_cases = std::ranges::all_of(frame.cases, [&](const CaseHeader& header) {
      return changes_it(header.changes, assignment);
    });
    if (!by_sweep && !by_cases) continue;
    const auto source =
        std::make_shared<Source>(Source{.name = "--set " + assignment, .has_lines = false});
    diagnostics.add({.source = source}, "",
                    fmt::format("has no effect: {} of the file sets this again; change it there",
                                by_sweep ? "the sweep" : "every case"));
  }
}

Experiment read_experiment(const YamlNode& root, Diagnostics& diagnostics) {
  const Frame frame = peek_frame(root);
  Experiment experiment{.name = frame.name,
                        .title = frame.title,
                        .seed = 0,
                        .cases = {},
                        .ratios = frame.ratios,
                        .leave_one_out = frame.leave_one_out};
  std::vector<SweepPoint> points = sweep_points(frame.sweep, diagnostics);
  const bool has_all_names = !points.empty();
  if (points.empty()) points.emplace_back();
  std::vector<std::string> names;
  for (const CaseHeader& header : frame.cases)
    for (const SweepPoint& point : points) {
      experiment.cases.push_back(read_point(root, header, point, diagnostics));
      names.push_back(experiment.cases.back().name);
    }
  experiment.seed = experiment.cases.front().run.seed;
  check_case_names(root, diagnostics);
  if (has_all_names) check_references(root, names, diagnostics);
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
  check_overrides(peek_frame(root), overrides, diagnostics);
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
