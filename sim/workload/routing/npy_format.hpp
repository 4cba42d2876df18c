#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard {

/// What the header of a NumPy file says of its array, an array of whole numbers in C order.
struct NpyArray {
  int value_bytes = 1;  ///< 1, 2, 4 or 8
  bool is_signed = true;
  bool is_big_endian = false;
  std::vector<std::int64_t> shape;  ///< any number of lengths, none negative
  std::size_t data_begin = 0;       ///< byte at which the values begin
};

/// Wide enough for every value of every type, the largest uint64 included.
using NpyValue = __int128;

/// Reads the header of NumPy format 1.0, 2.0 or 3.0; allocates no more than the header's size. Does
/// not look at what follows the header.
///
/// @param content  of the file
/// @param name     of the file, for messages
/// @throws ConfigError with name and byte: another format or version, truncated, a header above
///         10,000 bytes (as numpy.load), anything but the three keys, a type that is no integer,
///         Fortran order.
/// Source: NumPy, numpy.lib.format.
[[nodiscard]] NpyArray parse_npy_header(std::string_view content, const std::string& name);

/// Value number `index` of the array. Precondition: it lies within `content`.
[[nodiscard]] NpyValue npy_value(const NpyArray& array, std::string_view content,
                                 std::size_t index);

/// A shape as Python writes it: "(2048, 4, 2)", "(3,)", "()".
[[nodiscard]] std::string npy_shape_text(std::span<const std::int64_t> shape);

/// The bytes before the values in format 1.0, padded with spaces to a multiple of 64.
/// @param descr  NumPy's name of the type, like "<i2"
[[nodiscard]] std::string npy_header(std::string_view descr, std::span<const std::int64_t> shape);

}  // namespace switchyard
