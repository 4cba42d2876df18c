#include "sim/cli/number_sources.hpp"

#include <algorithm>
#include <cctype>

namespace switchyard {
namespace {

constexpr const char* kSources = "sources";
constexpr const char* kKernels = "kernels";

Choices<Provenance> provenances() {
  Choices<Provenance> choices;
  for (int p = 0; p < kNumProvenances; ++p)
    choices.emplace_back(provenance_name(static_cast<Provenance>(p)), static_cast<Provenance>(p));
  return choices;
}

std::optional<Provenance> provenance_of(const std::string& name) {
  for (const auto& [known, provenance] : provenances())
    if (name == known) return provenance;
  return std::nullopt;
}

/// The text of a scalar, or of a list of them: "0.5 to 1".
std::string text_of(const YamlNode* node) {
  if (node == nullptr) return "";
  std::string text = node->scalar;
  for (const YamlNode& item : node->items) text += (text.empty() ? "" : " to ") + item.scalar;
  return text;
}

const YamlNode* value_at(const YamlNode& node, std::string_view key) {
  const YamlNode::Entry* entry = node.find(key);
  return entry == nullptr ? nullptr : &entry->value;
}

bool is_number(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar || node.is_quoted || node.scalar.empty()) return false;
  const auto first = static_cast<unsigned char>(node.scalar.front());
  return std::isdigit(first) != 0 || first == '-' || first == '.';
}

bool covers(const std::string& quantity, const std::string& path) {
  return path == quantity || path.starts_with(quantity + ".");
}

/// Of a kernel: what it was fitted to, and how far held-out points were off.
SourcedNumber of_kernel(const YamlNode& model, const YamlNode& kernels) {
  const std::string variant = text_of(value_at(model, "variant"));
  SourcedNumber number;
  number.quantity = fmt::format("{}.{}{}{}", kKernels, text_of(value_at(model, "operator")),
                                variant.empty() ? "" : ".", variant);
  number.value = text_of(value_at(model, "fitted_to")) + " points";
  number.provenance = Provenance::kFitted;
  number.source =
      fmt::format("{} on {}, {}", text_of(value_at(kernels, "software")),
                  text_of(value_at(kernels, "device")), text_of(value_at(kernels, "started")));
  if (const YamlNode* held_out = value_at(model, "held_out"))
    number.range = "held-out p90 " + text_of(value_at(*held_out, "p90"));
  return number;
}

void add_numbers(const YamlNode& node, const std::string& path,
                 std::vector<SourcedNumber>& numbers) {
  SourcedNumber number;
  number.quantity = path;
  if (is_number(node)) {
    number.value = node.scalar;
    numbers.push_back(std::move(number));
    return;
  }
  const YamlNode* range = value_at(node, "range");
  if (const YamlNode* provenance = value_at(node, "provenance"); range && provenance) {
    const YamlNode* value = value_at(node, "value");
    number.value = value == nullptr ? "1" : value->scalar;
    number.provenance = provenance_of(provenance->scalar);
    number.range = text_of(range);
    numbers.push_back(std::move(number));
    return;
  }
  for (const YamlNode::Entry& entry : node.entries) {
    if (path.empty() && entry.key == kSources) continue;
    if (path.empty() && entry.key == kKernels) {
      if (const YamlNode* models = value_at(entry.value, "models"))
        for (const YamlNode& model : models->items)
          numbers.push_back(of_kernel(model, entry.value));
      continue;
    }
    add_numbers(entry.value, path.empty() ? entry.key : path + "." + entry.key, numbers);
  }
}

/// The entry with the longest path; nullptr where none covers the quantity.
const YamlNode::Entry* source_of(const YamlNode& profile, const std::string& quantity) {
  const YamlNode* sources = value_at(profile, kSources);
  const YamlNode::Entry* best = nullptr;
  if (sources == nullptr) return best;
  for (const YamlNode::Entry& entry : sources->entries)
    if (covers(entry.key, quantity) && (best == nullptr || entry.key.size() > best->key.size()))
      best = &entry;
  return best;
}

}  // namespace

std::vector<NumberSource> read_sources(Section& section) {
  std::vector<NumberSource> sources;
  const Json item = {{"type", "object"}, {"required", {"source"}}};
  const YamlNode* node =
      section.raw(kSources, "Where each number comes from: {quantity: {provenance, source}}.",
                  {{"type", "object"}, {"additionalProperties", item}});
  if (node == nullptr) return sources;
  if (node->kind != YamlNode::Kind::kMap)
    section.problem(kSources, fmt::format("expected a mapping, got {}", describe(*node)));
  for (const YamlNode::Entry& entry : node->entries) {
    Section one{entry.value, section.path(kSources) + "." + entry.key, section.diagnostics()};
    NumberSource source;
    source.quantity = entry.key;
    source.source = one.text("source", "What was read, or fitted to what.");
    source.provenance = one.find("provenance", "Of plain numbers.", types::one_of(provenances()));
    if (const YamlNode* range = one.raw("range", "Lowest and highest plausible value."))
      source.range = text_of(range);
    if (!section.has(entry.key.substr(0, entry.key.find('.'))))
      one.problem("the profile gives no such quantity");
    one.finish();
    sources.push_back(std::move(source));
  }
  return sources;
}

std::vector<SourcedNumber> sourced_numbers(const YamlNode& profile) {
  std::vector<SourcedNumber> numbers;
  add_numbers(profile, "", numbers);
  for (SourcedNumber& number : numbers) {
    const YamlNode::Entry* entry = source_of(profile, number.quantity);
    if (entry == nullptr) continue;
    if (number.source.empty()) number.source = text_of(value_at(entry->value, "source"));
    if (!number.provenance)
      number.provenance = provenance_of(text_of(value_at(entry->value, "provenance")));
    if (number.range.empty()) number.range = text_of(value_at(entry->value, "range"));
  }
  return numbers;
}

std::vector<std::string> source_problems(const YamlNode& profile) {
  std::vector<std::string> problems;
  const std::vector<SourcedNumber> numbers = sourced_numbers(profile);
  for (const SourcedNumber& number : numbers) {
    if (!number.provenance) problems.push_back(number.quantity + ": no provenance");
    if (number.source.empty()) problems.push_back(number.quantity + ": no source");
  }
  const YamlNode* sources = value_at(profile, kSources);
  if (sources == nullptr) return problems;
  for (const YamlNode::Entry& entry : sources->entries)
    if (std::ranges::none_of(numbers, [&](const SourcedNumber& number) {
          return covers(entry.key, number.quantity);
        }))
      problems.push_back(fmt::format("{}.{}: a source of no number", kSources, entry.key));
  return problems;
}

}  // namespace switchyard
