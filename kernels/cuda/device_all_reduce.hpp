#pragma once

#include <span>

#include "kernels/comm/all_reduce.hpp"
#include "kernels/cuda/device_buffer.hpp"
#include "kernels/cuda/device_stream.hpp"

namespace switchyard::kernels {

/// As ReduceScratch, on the device.
template <class T>
struct DeviceReduceScratch {
  DeviceBuffer<T> pieces;
  DeviceStream stream;  ///< its own: sums are made beside a backend's work
};

/// As those of ReduceScratch, numbers on the device and the same bits. all_reduce_sum begins with
/// numbers whose writers have ended and returns when they are added up.
/// @param ranks  that exchange memory of this device, see make_device_communicator
template <class T>
void prepare_all_reduce(const Communicator& ranks, std::size_t size,
                        DeviceReduceScratch<T>& scratch);
template <class T>
std::int64_t all_reduce_sum(Communicator& ranks, std::span<T> numbers,
                            DeviceReduceScratch<T>& scratch);

}  // namespace switchyard::kernels
