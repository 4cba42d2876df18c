#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/buffer.hpp"
#include "kernels/layer/counter_random.hpp"

// What tests and the checks on devices put into the kernels and compare.
namespace switchyard::kernels {

/// Uniform numbers in (-1, 1), the same for a seed everywhere.
template <class T>
Buffer<T> uniform_numbers(std::size_t size, std::uint64_t seed) {
  Buffer<T> result(size);
  for (std::size_t i = 0; i < size; ++i)
    result[i] = from_float<T>(2.0F * uniform_at(scattered(seed), i) - 1.0F);
  return result;
}

/// uniform_numbers whose first 65,521 come again and again, quick to draw: for timing. A prime, so
/// that rows differ.
template <class T>
Buffer<T> repeated_numbers(std::size_t size, std::uint64_t seed) {
  constexpr std::size_t kPeriod = 65'521;
  const auto drawn = uniform_numbers<T>(std::min(size, kPeriod), seed);
  Buffer<T> result(size);
  for (std::size_t begin = 0; begin < size; begin += kPeriod)
    std::copy_n(drawn.data(), std::min(kPeriod, size - begin), result.data() + begin);
  return result;
}

template <class T>
std::vector<double> in_double(const Buffer<T>& numbers) {
  std::vector<double> result;
  for (const T x : numbers) result.push_back(static_cast<double>(to_float(x)));
  return result;
}

/// || got - expected || / || expected ||, Frobenius; || got || if nothing is expected.
template <class T>
double frobenius_error(const Buffer<T>& got, std::span<const double> expected) {
  if (got.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double difference = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double x = static_cast<double>(to_float(got[i]));
    difference += (x - expected[i]) * (x - expected[i]);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(difference / (norm > 0.0 ? norm : 1.0));
}

template <class T>
bool have_same_bits(const Buffer<T>& a, const Buffer<T>& b) {
  return a.size() == b.size() &&
         (a.size() == 0 || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

}  // namespace switchyard::kernels
