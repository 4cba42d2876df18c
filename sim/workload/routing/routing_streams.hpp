#pragma once

#include <cstdint>

namespace switchyard {

// The first id of each kind of random stream of routing, so that no two kinds share numbers. The
// ids that follow: stack, and of draw, layer, rank those that it differs by.

inline constexpr std::uint64_t kPopularityStream = 0x726f757465'01;
inline constexpr std::uint64_t kDriftStream = 0x726f757465'02;
inline constexpr std::uint64_t kLayerSpreadStream = 0x726f757465'03;
inline constexpr std::uint64_t kPermutationStream = 0x726f757465'04;
inline constexpr std::uint64_t kDomainStream = 0x726f757465'05;
inline constexpr std::uint64_t kTokenStream = 0x726f757465'06;  ///< choices
inline constexpr std::uint64_t kGateStream = 0x726f757465'07;   ///< gates, second-choice policies
inline constexpr std::uint64_t kExpertChoiceStream = 0x726f757465'08;

}  // namespace switchyard
