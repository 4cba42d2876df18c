#include "kernels/cpu/layer_check.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

template <class T>
void require_storage(Precision precision) {
  if (stores_bfloat16(precision) == std::is_same_v<T, BFloat16>) return;
  throw KernelError{Fault::kSpec, stores_bfloat16(precision)
                                      ? "layer: this precision needs bfloat16 tokens, got float"
                                      : "layer: float32 needs float tokens, got bfloat16"};
}

template <class T>
void require_finite(const char* argument, std::span<const T> numbers, int columns) {
  const auto wrong = std::ranges::find_if(numbers, [](T x) { return !std::isfinite(to_float(x)); });
  if (wrong == numbers.end()) return;
  const auto at = wrong - numbers.begin();
  const float x = to_float(*wrong);
  throw KernelError{Fault::kNotFinite, std::string{argument} + ": token " +
                                           std::to_string(at / columns) + ", column " +
                                           std::to_string(at % columns) + " is " +
                                           (std::isnan(x) ? "nan" : std::to_string(x))};
}

template void require_storage<float>(Precision);
template void require_storage<BFloat16>(Precision);
template void require_finite(const char*, std::span<const float>, int);
template void require_finite(const char*, std::span<const BFloat16>, int);

}  // namespace switchyard::kernels
