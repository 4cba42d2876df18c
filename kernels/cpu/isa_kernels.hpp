#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/gemm_task.hpp"

namespace switchyard::kernels {

/// One row's piece of the activation; Number is float or std::uint16_t, bits of a bfloat16 number.
template <class Number>
struct ActivationPiece {
  std::int64_t count = 0;
  const Number* gate = nullptr;  ///< (count); null for relu
  const Number* up = nullptr;    ///< (count); of relu its argument
};

template <class Number>
struct ActivationFunctions {
  using Piece = ActivationPiece<Number>;
  using Forward = void (*)(const Piece& piece, Number* hidden);
  /// @param d_hidden  (count)
  /// @param d_gate    (count), not written for relu; nor may it alias
  using Backward = void (*)(const Piece& piece, const Number* d_hidden, Number* d_gate,
                            Number* d_up);
  /// By Activation.
  Forward forward[3];
  Backward backward[3];
};

/// What is compiled for each instruction set apart. The sets differ in last digits.
struct IsaKernels {
  const char* name;
  GemmFunction<float, float, float> gemm;
  GemmFunction<std::uint16_t, std::uint16_t, std::uint16_t> gemm_bfloat16;
  GemmFunction<std::uint16_t, std::uint16_t, float> gemm_bfloat16_to_float;
  GemmFunction<std::uint16_t, float, float> gemm_bfloat16_float;  ///< a bfloat16, b float
  GemmFunction<float, std::uint16_t, float> gemm_float_bfloat16;  ///< a float, b bfloat16
  ActivationFunctions<float> activations;
  ActivationFunctions<std::uint16_t> activations_bfloat16;
};

/// Those of the widest instruction set that was compiled and that this processor has.
[[nodiscard]] const IsaKernels& isa_kernels();

/// All that were compiled and that this processor has, the widest first.
[[nodiscard]] std::vector<const IsaKernels*> available_isa_kernels();

}  // namespace switchyard::kernels
