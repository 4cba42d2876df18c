#pragma once

#include <cstdint>
#include <vector>

#include "sim/engine/flow_set.hpp"

namespace switchyard {

/// Flows that behave alike, and links that are loaded alike.
///
/// The classes must be an equitable partition: every flow of class c crosses as many links of class
/// o as any other, and every link of class o carries as many flows of class c as any other. Max-min
/// fair rates are then equal within a class, because they are unique and exchanging two like flows
/// changes nothing, so that one equation for each class gives all of them exactly.
///
/// Links of flow class c: entries first_link[c] up to first_link[c + 1].
struct FlowClasses {
  std::vector<BytesPerSecond> capacity;  ///< of one link, by link class
  std::vector<Bytes> bytes;              ///< of one flow, by flow class
  std::vector<Seconds> start;            ///< by flow class
  std::vector<std::uint32_t> first_link{0};
  std::vector<std::uint32_t> link_class;
  std::vector<double> weight;  ///< flows of the class on one link of the link class
};

/// When the flows of each class end under max-min fair sharing.
/// Cost: O(entries * different levels) for each date at which flows begin or end.
[[nodiscard]] std::vector<Seconds> class_times(const FlowClasses& classes);

/// The coarsest equitable partition of a set, and the class of each flow.
struct Refinement {
  FlowClasses classes;
  std::vector<std::uint32_t> flow_class;  ///< by flow
};

/// Flows of equal size and date and links of equal capacity are alike until a difference in what
/// they cross or carry is found, and so on, until none is. Colours are 64-bit hashes: two that
/// differ collide with probability n^2 / 2^65 among n, below 1e-7 for a million.
/// Cost: O(links on paths) for each round of refinement.
/// Source: Berkholz, Bonsma, Grohe, "Tight lower and upper bounds for the complexity of canonical
///         colour refinement", ESA 2013 (the coarsest equitable partition).
[[nodiscard]] Refinement refine(const FlowSet& set);

}  // namespace switchyard
