#include "sim/cli/compare/anchor_file.hpp"

#include "sim/cli/calibration/write_kernels.hpp"
#include "sim/cli/section.hpp"
#include "sim/cli/yaml_document.hpp"

namespace switchyard {
namespace {

constexpr int kVersion = 1;

Anchor read_parts(Section section) {
  Anchor anchor;
  const int version = section.count("version", "Of this file.");
  if (section.ok() && version != kVersion)
    section.problem("version", fmt::format("expected {}, got {}", kVersion, version));
  anchor.experiment = section.text("experiment", "Whose step was predicted.");
  anchor.trace = section.text("trace", "That it was compared with.");
  anchor.date = section.text("date", "When.");
  Section factors = section.subsection("factors", "Observed over predicted time, by class.");
  for (int c = 0; c < kNumTimeClasses; ++c) {
    const auto name = time_class_name(static_cast<TimeClass>(c));
    anchor.factors.at(static_cast<std::size_t>(c)) = factors.optional_number(
        name, "Times of the class are multiplied by it.", 1.0, {.above = 0.0, .max = 1000.0});
  }
  factors.finish();
  section.finish();
  return anchor;
}

}  // namespace

Anchor read_anchor(const std::filesystem::path& file) {
  return read_document(load_yaml(file),
                       [](Section section) { return read_parts(std::move(section)); });
}

Json anchor_json(const Anchor& anchor) {
  Json json;
  json["version"] = kVersion;
  json["experiment"] = anchor.experiment;
  json["trace"] = anchor.trace;
  json["date"] = anchor.date;
  json["factors"] = Json::object();
  for (int c = 0; c < kNumTimeClasses; ++c) {
    const double factor = anchor.factors.at(static_cast<std::size_t>(c));
    if (factor != 1.0)
      json["factors"][std::string{time_class_name(static_cast<TimeClass>(c))}] = factor;
  }
  return json;
}

std::string anchor_yaml(const Anchor& anchor) {
  return "# Observed over predicted times of one step, by class. Written by `switchyard compare\n"
         "# --anchor`; with `anchor: FILE` in an experiment times are multiplied by them.\n" +
         yaml_text(anchor_json(anchor));
}

}  // namespace switchyard
