#pragma once

#include <string>

#include "sim/core/units.hpp"

namespace switchyard {

// Quantities in the words of the files, to be read back as the same double: in a usual unit, or in
// base units where the conversion would round.

[[nodiscard]] std::string exact_text(FlopPerSecond rate);
[[nodiscard]] std::string exact_text(BytesPerSecond rate);
[[nodiscard]] std::string exact_text(Bytes size);
[[nodiscard]] std::string exact_text(Seconds time);

/// In bits, as links are sold.
[[nodiscard]] std::string exact_link_text(BytesPerSecond rate);

}  // namespace switchyard
