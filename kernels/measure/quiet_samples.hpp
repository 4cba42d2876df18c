#pragma once

#include <array>
#include <functional>

#include "kernels/comm/communicator.hpp"
#include "kernels/measure/points_file.hpp"

namespace switchyard::kernels {

/// A machine is slower while others work on it or its clocks are down: when the reference product
/// takes longer than this many times what it took at best.
inline constexpr double kDisturbed = 1.1;

/// A small product that always takes the same time on a quiet machine, and the best of it so far
/// on that many ranks side by side.
struct ReferenceProduct {
  std::vector<std::function<double()>> of_ranks;  ///< by rank; the seconds it takes now
  std::vector<double> best_s;                     ///< by number of ranks less 1
};

/// How often a point is repeated in one pass.
struct RepeatSpec {
  int least = 10;
  int most = 200;
  double seconds = 0.015;   ///< repeats go on until this is spent, between least and most
  double chunk_s = 0.0075;  ///< repeats between two reference products
};

/// Seconds of one repeat; of a layer: forward, and the whole step.
using Sample = std::array<double, 2>;

struct QuietSamples {
  PointTiming first;         ///< of Sample's first number
  PointTiming second;        ///< and of its second
  double reference_s = 0.0;  ///< median of the slower of the reference products around each chunk
};

/// Whether the reference product is slow now on any rank; all ranks must call it together, and have
/// the same answer.
[[nodiscard]] bool is_disturbed(Communicator& ranks, ReferenceProduct& reference);

/// Takes samples on all ranks at once, which must call it together: one to warm up, then as many on
/// each rank. Reference products run before and after every few repeats; repeats beside a slow one
/// are replaced by others, until enough were quiet or half as many more were taken. Quantiles are
/// of the quiet repeats where these are at least half of what was wanted, and of all otherwise;
/// then their means over ranks.
[[nodiscard]] QuietSamples take_samples(Communicator& ranks, ReferenceProduct& reference,
                                        const std::function<Sample()>& take,
                                        const RepeatSpec& repeats);

}  // namespace switchyard::kernels
