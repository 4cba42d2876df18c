#pragma once

namespace switchyard {

/// What a collective does to the buffers of its ranks. S is the size that nccl-tests prints:
///
/// kAllToAll       each of n ranks sends S / n to every other: S is what a rank sends, itself
/// included kAllReduce      every rank ends with the sum of all buffers of S bytes kAllGather every
/// rank ends with the n parts of S / n bytes that the ranks held: S bytes kReduceScatter  every
/// rank ends with its S / n bytes of the sum of all buffers of S bytes kPointToPoint   the first
/// rank sends S bytes to the last
enum class CollectiveKind { kAllToAll, kAllReduce, kAllGather, kReduceScatter, kPointToPoint };

}  // namespace switchyard
