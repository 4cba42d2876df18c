#pragma once

namespace switchyard {

/// What a collective does to the buffers of its n ranks. S is the size that nccl-tests prints.
enum class CollectiveKind {
  kAllToAll,       ///< each rank sends S / n to every other: S is what it sends, itself included
  kAllReduce,      ///< every rank ends with the sum of all buffers of S bytes
  kAllGather,      ///< every rank ends with the n parts of S / n bytes that the ranks held
  kReduceScatter,  ///< every rank ends with its S / n bytes of the sum of all buffers of S bytes
  kPointToPoint    ///< the first rank sends S bytes to the last
};

/// The kind's name in YAML, CSV and tables.
[[nodiscard]] constexpr const char* collective_kind_name(CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::kAllToAll:
      return "all_to_all";
    case CollectiveKind::kAllReduce:
      return "all_reduce";
    case CollectiveKind::kAllGather:
      return "all_gather";
    case CollectiveKind::kReduceScatter:
      return "reduce_scatter";
    case CollectiveKind::kPointToPoint:
      return "point_to_point";
  }
  return "";
}

}  // namespace switchyard
