#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/cli/section.hpp"
#include "sim/core/constant.hpp"

namespace switchyard {

/// Where numbers of a device's profile come from: an entry of its `sources`.
struct NumberSource {
  std::string quantity;  ///< "peak_bfloat16", or what several begin with: "lowering"
  std::optional<Provenance> provenance;  ///< of plain numbers; constants say their own
  std::string source;                    ///< what was read, or fitted to what
  std::string range;                     ///< lowest and highest plausible; constants say their own
};

/// Reads the optional key `sources`: a mapping from quantities to {source, provenance, range}. An
/// entry names a key of `section`, or a dotted path below one.
[[nodiscard]] std::vector<NumberSource> read_sources(Section& section);

/// A number of a device's profile as it is written there, and what is known of it.
struct SourcedNumber {
  std::string quantity;  ///< "matmul_model.fp8.efficiency"
  std::string value;     ///< with its unit
  std::optional<Provenance> provenance;
  std::string source;  ///< of the entry that names most of the quantity's path
  std::string range;
};

/// Every number of a profile, in the order of the file. Of measured kernels one line each: how many
/// points were fitted to, and the p90 of those held out as its range.
/// @param profile  read by read_device() without problems, bases resolved
[[nodiscard]] std::vector<SourcedNumber> sourced_numbers(const YamlNode& profile);

/// What a shipped profile must not have: numbers without provenance or source, and sources of no
/// number.
[[nodiscard]] std::vector<std::string> source_problems(const YamlNode& profile);

}  // namespace switchyard
