#pragma once

#include <cstddef>
#include <cstdint>

namespace switchyard::kernels {

/// A matrix of which rows (column_stride 1) or columns (row_stride 1) are contiguous. Element is
/// float, or std::uint16_t for the bits of a bfloat16 number.
template <class Element>
struct StridedMatrix {
  Element* data = nullptr;
  std::int64_t row_stride = 0;
  std::int64_t column_stride = 0;
};

/// c = a @ b by one thread; c (rows, columns), a (rows, depth), b (depth, columns). depth 0 makes
/// zeros.
///
/// Each number of c is a sum over blocks of kDepthBlock of sums in order, whatever the task's
/// rows and columns: how a product is cut into tasks changes no bit.
template <class A, class B, class C>
struct GemmTask {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t depth = 0;
  StridedMatrix<const A> a;
  StridedMatrix<const B> b;
  C* c = nullptr;
  std::int64_t c_stride = 0;
};

/// Depth that is summed up in registers.
inline constexpr std::int64_t kDepthBlock = 256;
/// Depth of b that is packed at once, so that it stays in the second cache; whole kDepthBlocks.
inline constexpr std::int64_t kPanelDepth = 512;
/// Rows of a that are multiplied by one depth block of b.
inline constexpr std::int64_t kRowBlock = 96;
/// Most columns and rows of a task.
inline constexpr std::int64_t kColumnBlock = 256;
inline constexpr std::int64_t kTaskRows = 960;
static_assert(kPanelDepth % kDepthBlock == 0 && kTaskRows % kRowBlock == 0);

/// Floats of scratch that any task needs.
inline constexpr std::int64_t kGemmScratch =
    kPanelDepth * kColumnBlock + kRowBlock * (kDepthBlock + 16) + kTaskRows * kColumnBlock;

/// The product of one thread. Precondition: at most kTaskRows rows, kColumnBlock columns;
/// scratch aligned to 64 bytes.
template <class A, class B, class C>
using GemmFunction = void (*)(const GemmTask<A, B, C>& task, float* scratch);

}  // namespace switchyard::kernels
