#pragma once

namespace switchyard {

/// Who gets an expert's slots first. Within a class tokens come in order.
enum class SlotPriority {
  kChoiceMajor,  ///< all first choices before any second (k-major)
  kTokenMajor,   ///< a token's choices together
  kGate,         ///< by falling gate of the choice, whatever its place
};

/// The tokens that compete for an expert's slots.
enum class SlotScope {
  kGroup,   ///< those of a group; a group lies on one rank
  kGlobal,  ///< those of all ranks, rank by rank
};

/// How choices become slots.
struct SlotSpec {
  SlotPriority priority = SlotPriority::kChoiceMajor;
  SlotScope scope = SlotScope::kGroup;
  /// No-Token-Left-Behind: a choice without a slot tries the token's next best expert, this often,
  /// after all others have theirs. Source: Fedus et al., JMLR 2022, appendix B.
  int reroute_attempts = 0;
};

}  // namespace switchyard
