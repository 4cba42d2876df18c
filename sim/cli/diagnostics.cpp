#include "sim/cli/diagnostics.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_set>

#include <fmt/format.h>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kMaxLines = 100;

}  // namespace

std::string to_string(const Place& place) {
  SWITCHYARD_CHECK(place.source != nullptr, "a place without a source");
  if (!place.source->has_lines) return place.source->name;
  return fmt::format("{}:{}:{}", place.source->name, place.line, place.column);
}

void Diagnostics::add(const Place& place, std::string_view key_path, std::string_view text) {
  const std::string_view colon = key_path.empty() ? "" : ": ";
  std::string line = fmt::format("{}: {}{}{}", to_string(place), key_path, colon, text);
  problems_.push_back(
      {.place = place, .source_order = source_order(place), .line = std::move(line)});
}

void Diagnostics::note_source(const Place& place) { (void)source_order(place); }

std::size_t Diagnostics::source_order(const Place& place) {
  auto known = std::ranges::find(source_names_, place.source->name);
  if (known == source_names_.end())
    known = source_names_.insert(source_names_.end(), place.source->name);
  return static_cast<std::size_t>(known - source_names_.begin());
}

std::string Diagnostics::report() const {
  std::vector<const Problem*> sorted;
  for (const Problem& problem : problems_) sorted.push_back(&problem);
  std::ranges::stable_sort(sorted, {}, [](const Problem* p) {
    return std::tuple(!p->place.source->has_lines, p->source_order, p->place.line, p->place.column);
  });
  std::vector<std::string_view> lines;
  std::unordered_set<std::string_view> told;
  for (const Problem* problem : sorted)
    if (told.insert(problem->line).second) lines.emplace_back(problem->line);
  if (lines.size() <= kMaxLines) return fmt::format("{}", fmt::join(lines, "\n"));
  const std::size_t num_more = lines.size() - kMaxLines;
  lines.resize(kMaxLines);
  return fmt::format("{}\n... and {} more", fmt::join(lines, "\n"), num_more);
}

void Diagnostics::throw_if_any() const {
  if (!problems_.empty()) throw ConfigError(report());
}

}  // namespace switchyard
