#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/ranks/expert_chunks.hpp"

namespace switchyard::kernels {

/// The blocks of an ExpertChunk on the device.
struct DeviceRowBlocks {
  DeviceBuffer<RowBlock> blocks;
  std::int64_t most_rows = 0;  ///< of a block
};

/// Waits for the device.
void upload(CudaBackend& cuda, const ExpertChunk& chunk, DeviceRowBlocks& to);

/// Copies a chunk's rows of `row_bytes`, a multiple of 2, into the other order.
void reorder(const DeviceRowBlocks& rows, CudaBackend& cuda, std::int64_t row_bytes,
             const void* from, RowOrder to_order, void* to);

}  // namespace switchyard::kernels
