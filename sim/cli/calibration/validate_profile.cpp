#include "sim/cli/calibration/validate_profile.hpp"

#include <algorithm>
#include <iterator>

#include "sim/cli/calibration/layer_rows.hpp"
#include "sim/cli/data_folder.hpp"
#include "sim/cli/read_links.hpp"
#include "sim/cli/read_system.hpp"
#include "sim/cli/yaml_document.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// Beside a device's profile lies the system of such devices, of nearly the same name.
void refuse_system(const YamlNode& written, const std::filesystem::path& file) {
  const YamlNode::Entry* device = written.find("device");
  if (device == nullptr || written.find("scale_up") == nullptr) return;
  const std::string& name = device->value.scalar;
  if (!name.ends_with(".yaml"))
    throw ConfigError(fmt::format(
        "{}: is a system, and no kernel of its device was measured: expected the profile of a "
        "device that `switchyard calibrate` wrote",
        file.string()));
  throw ConfigError(fmt::format("{}: is a system: give the profile of its device, {}",
                                file.string(), (file.parent_path() / name).string()));
}

}  // namespace

CalibrationReport validate_profile(const std::filesystem::path& file) {
  const YamlNode written = load_yaml(file);
  refuse_system(written, file);
  Diagnostics diagnostics;
  const std::optional<YamlNode> node = resolve(written, "", device_catalog(), diagnostics);
  diagnostics.throw_if_any();
  const DeviceFile device_file =
      read_document(*node, [](Section section) { return read_device(std::move(section)); });
  const DeviceProfile& device = device_file.device;
  if (!device.kernels)
    throw ConfigError(fmt::format(
        "{}: expected the profile of a device with measured kernels, as `switchyard calibrate` "
        "writes them; it has no \"kernels\"",
        file.string()));
  const KernelProfile& profile = *device.kernels;
  LinkProfiles links;
  for (const auto& [transport, links_file] : profile.links_files)
    links[transport] = read_document(load_yaml(links_file), [](Section section) {
      return read_collective_profile(std::move(section));
    });
  const MeasuredPoints points = read_points({profile.points_file});
  MeasuredDevice measured = points.device;
  CalibrationReport report{.name = profile.name,
                           .measured = std::move(measured),
                           .rows = calibration_rows(profile, links, points)};
  std::ranges::move(layer_rows_of(device, device_file.lowering, links, points.layers),
                    std::back_inserter(report.rows));
  return report;
}

}  // namespace switchyard
