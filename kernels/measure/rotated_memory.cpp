#include "kernels/measure/rotated_memory.hpp"

#include <unistd.h>

#include <algorithm>

#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/counter_random.hpp"

namespace switchyard::kernels {

std::int64_t last_level_cache_bytes() {
  std::int64_t largest = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
  largest = std::max<std::int64_t>({sysconf(_SC_LEVEL4_CACHE_SIZE), sysconf(_SC_LEVEL3_CACHE_SIZE),
                                    sysconf(_SC_LEVEL2_CACHE_SIZE)});
#endif
  return largest > 0 ? largest : std::int64_t{32} << 20;
}

template <class T>
void RotatedMemory<T>::reserve(std::size_t size) {
  constexpr std::int64_t kMost = std::int64_t{1} << 30;
  const auto past_cache =
      static_cast<std::size_t>(std::min(2 * last_level_cache_bytes(), kMost)) / sizeof(T);
  const std::size_t wanted = std::max(size, past_cache);
  if (numbers_.size() >= wanted) return;
  numbers_.resize(wanted);
  // Small numbers in (-0.1, 0.1), so that no product overflows.
  for (std::size_t i = 0; i < wanted; ++i)
    numbers_[i] = from_float<T>(0.2F * uniform_at(1, i) - 0.1F);
  at_ = 0;
}

template <class T>
T* RotatedMemory<T>::next(std::size_t size) {
  constexpr std::size_t kAlignment = 64 / sizeof(T);
  if (at_ + size > numbers_.size()) at_ = 0;
  T* begin = numbers_.data() + at_;
  at_ += (size + kAlignment - 1) / kAlignment * kAlignment;
  return begin;
}

template class RotatedMemory<float>;
template class RotatedMemory<BFloat16>;

}  // namespace switchyard::kernels
