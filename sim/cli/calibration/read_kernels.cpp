#include "sim/cli/calibration/read_kernels.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "sim/cli/calibration/points_file.hpp"
#include "sim/cli/calibration/text_hash.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

using K = KernelConstant;

/// {value: ..., range: [lowest, highest]} of a constant with a dimension.
template <class T, class Base>
void read_constant(Section section, K constant, const ValueType<T>& type, Base base,
                   KernelModel& model) {
  const auto place = static_cast<std::size_t>(constant);
  const T value = section.value("value", "The constant.", type);
  const auto range =
      section.list("range", "5 % of bootstrapped fits are below, 5 % above.", type, {2, 2});
  model.constants[place] = base(value);
  model.lowest[place] = base(range.at(0));
  model.highest[place] = base(range.at(1));
  if (section.ok() && !(range.at(0) <= value && value <= range.at(1)))
    section.problem("value", "expected a value within its range");
  section.finish();
}

void read_constant(Section section, K constant, KernelModel& model) {
  const auto base = [](auto quantity) { return quantity.base(); };
  switch (constant) {
    case K::kLaunch:
    case K::kItem:
    case K::kGroup:
      return read_constant(std::move(section), constant, types::time(), base, model);
    case K::kRate:
      return read_constant(std::move(section), constant, types::flop_rate(), base, model);
    case K::kCacheBandwidth:
    case K::kLastLevelBandwidth:
    case K::kMemoryBandwidth:
    case K::kWeightBandwidth:
      return read_constant(std::move(section), constant, types::bandwidth(), base, model);
    case K::kKnee:
    case K::kLastLevelKnee:
      return read_constant(std::move(section), constant, types::size(), base, model);
    case K::kCombination:
      return read_constant(
          std::move(section), constant, types::number({.min = 1.0, .max = 1000.0}),
          [](double x) { return x; }, model);
    case K::kSharpness:
    case K::kLastLevelSharpness:
    case K::kSharedCompute:
    case K::kSharedMemory:
    case K::kNarrow:
      return read_constant(
          std::move(section), constant, types::number({.min = 0.0, .max = 1000.0}),
          [](double x) { return x; }, model);
  }
}

KernelErrors read_errors(Section section) {
  const auto error = [&section](std::string_view key, std::string_view description) {
    return section.number(key, description, {.min = 0.0, .max = 1e6});
  };
  KernelErrors errors;
  errors.points = section.count("points", "That were held out.", {.min = 0, .max = 1'000'000});
  errors.median = error("median", "Of the relative errors, without sign.");
  errors.p90 = error("p90", "90 % are below.");
  errors.largest = error("largest", "The largest.");
  section.finish();
  return errors;
}

/// @param num_points  set to how many points it was fitted to
KernelModel read_model(Section section, int& num_points) {
  KernelModel model;
  Choices<KernelKind> kinds;
  for (int kind = 0; kind < kNumKernelKinds; ++kind)
    kinds.emplace_back(kernel_name(static_cast<KernelKind>(kind)), static_cast<KernelKind>(kind));
  model.kind = section.choice<KernelKind>("operator", "The kernel.", kinds);
  model.variant = section.optional_text("variant", "Of an activation.", "");
  model.source = section.optional_text("source", "Files its points were imported from.", "");
  num_points =
      section.count("fitted_to", "Points that were fitted to.", {.min = 1, .max = 1'000'000});
  const NumberRange share{.min = 0.0, .max = 1000.0};
  model.noise = section.number("noise", "Median difference of passes over one point.", share);
  model.held_out = read_errors(section.subsection("held_out", "Points no fit has seen."));
  Section interval = section.subsection("interval", "90 % intervals: logarithms of factors.");
  model.residual = interval.number("residual", "Points left out of the fit.", share);
  model.parameters = interval.number("parameters", "Bootstrapped fits.", share);
  interval.finish();
  model.reach = section.number("reach", "Octaves over which measured errors count.", share);
  model.lowest = model.highest = model.constants;
  Section constants = section.subsection("constants", "See cost_models/calibration.");
  for (const ConstantRange& range : constant_ranges(model.kind)) {
    const std::string_view name = constant_name(range.constant);
    if (!may_miss(range.constant))
      read_constant(constants.subsection(name, "Of the form."), range.constant, model);
    else if (auto constant = constants.optional_subsection(name, "Where points tell it."))
      read_constant(std::move(*constant), range.constant, model);
  }
  constants.finish();
  section.finish();
  return model;
}

SustainedSpeed read_sustained_speed(Section section) {
  SustainedSpeed speed;
  speed.ratio = section.number("ratio", "Of the speed in short runs.", {.min = 0.01, .max = 1.0});
  speed.burst = section.value("burst", "A call in the first seconds.", types::time());
  speed.sustained = section.value("sustained", "A call in the last half.", types::time());
  speed.duration = section.value("duration", "That the class ran.", types::time());
  section.finish();
  return speed;
}

/// Gives each model the points it was fitted to.
/// @param hash  of the file's text; empty where the profile does not say
void attach_points(Section& section, const std::vector<int>& num_points, const std::string& hash,
                   KernelProfile& profile) {
  const std::filesystem::path file = section.file_beside("points", profile.points_file);
  std::error_code unknown;
  if (!std::filesystem::exists(file, unknown)) {
    section.problem("points",
                    fmt::format("there is no \"{}\"; the profile needs the points it was fitted "
                                "to: put the file beside it, or calibrate again",
                                file.string()));
    return;
  }
  profile.points_file = file.string();
  const MeasuredPoints points = read_points({file});
  profile.measured.memory = points.device.memory;
  for (const KernelPoint& point : points.kernels) {
    if (point.role != PointRole::kFit) continue;
    for (KernelModel& model : profile.models)
      if (model.kind == point.call.kind && model.variant == point.call.variant)
        model.points.push_back(point);
  }
  for (KernelModel& model : profile.models) place_points(model, profile.tiles);
  if (points.device.device != profile.measured.device ||
      points.device.software != profile.measured.software)
    section.problem("points",
                    fmt::format("\"{}\" was measured on another device or software: {}, {}",
                                file.string(), points.device.device, points.device.software));
  std::ifstream in{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (!hash.empty() && text_hash(text) != hash)
    section.problem("points", fmt::format("\"{}\" was changed since; it is not the file that was "
                                          "fitted to: calibrate again",
                                          file.string()));
  for (std::size_t i = 0; i < profile.models.size(); ++i)
    if (static_cast<int>(profile.models[i].points.size()) != num_points[i])
      section.problem(fmt::format("models[{}].fitted_to", i),
                      fmt::format("expected the {} points of \"{}\", got {}; it is not the file "
                                  "that was fitted to: calibrate again",
                                  profile.models[i].points.size(), file.string(), num_points[i]));
}

}  // namespace

bool may_miss(K constant) {
  return constant == K::kItem || constant == K::kGroup || constant == K::kSharedCompute ||
         constant == K::kSharedMemory || constant == K::kNarrow;
}

KernelProfile read_kernels(Section section) {
  KernelProfile profile;
  const int version = section.count("version", "Of this section.", {.min = 1, .max = 1'000'000});
  if (section.ok() && version != kKernelsVersion)
    section.problem("version", fmt::format("expected {}, got {}; this program reads no other: "
                                           "calibrate again from the file of points",
                                           kKernelsVersion, version));
  profile.name = section.text("name", "Of the profile.");
  profile.measured.backend = section.text("backend", "cpu or cuda.");
  profile.measured.device = section.text("device", "That was measured.");
  profile.measured.software = section.text("software", "Whose kernels were measured.");
  profile.measured.started = section.text("started", "When.");
  profile.measured.cores = section.count("cores", "Of the machine.");
  profile.measured.last_level_cache = section.bytes("last_level_cache", "Its size.");
  profile.measured.drift = section.number(
      "drift", "Slowest over fastest reference product, less 1.", {.min = 0.0, .max = 1e6});
  profile.points_file = section.text("points", "CSV of the points, beside this file.");
  const std::string hash =
      section.optional_text("points_hash", "64 bits of FNV-1a of that file, in hexadecimal.", "");
  if (auto links = section.optional_subsection("links", "Collectives, beside this file.")) {
    for (const char* transport : {"loopback", "mpi", "nccl"})
      if (auto file = links->find(transport, "A profile of it.", types::text()))
        profile.links_files[transport] = links->file_beside(transport, *file).string();
    links->finish();
  }
  if (auto sustained = section.optional_subsection("sustained", "What long runs keep, by class.")) {
    for (const std::string_view name : kSustainedClasses)
      if (auto speed = sustained->optional_subsection(name, "Of these operators."))
        profile.sustained[std::string{name}] = read_sustained_speed(std::move(*speed));
    sustained->finish();
  }
  profile.threads = section.optional_count("threads", "Of a rank that is predicted.", 1);
  Section tiles = section.subsection("tiles", "How products are cut.");
  profile.tiles.rows = tiles.count("rows", "Of a tile.", {1, 4096});
  profile.tiles.columns = tiles.count("columns", "Of a tile.", {1, 4096});
  profile.tiles.multiprocessors =
      tiles.count("multiprocessors", "That share the tiles of a kernel.", {1, 100'000});
  tiles.finish();
  std::vector<int> num_points;
  profile.models = section.sections("models", "A form for each kernel and variant.",
                                    [&num_points](Section model) {
                                      num_points.push_back(0);
                                      return read_model(std::move(model), num_points.back());
                                    },
                                    {.min = 1});
  if (section.ok()) attach_points(section, num_points, hash, profile);
  section.finish();
  return profile;
}

}  // namespace switchyard
