#include "kernels/cuda/device_communicator.hpp"

#include <utility>
#include <vector>

#include "kernels/comm/agreement.hpp"
#include "kernels/comm/exchange_check.hpp"
#include "kernels/comm/packed_blocks.hpp"
#include "kernels/cuda/device_stream.hpp"
#include "kernels/cuda/pinned_memory.hpp"

namespace switchyard::kernels {
namespace {

bool is_of_device(const void* pointer) {
  cudaPointerAttributes attributes{};
  if (cudaPointerGetAttributes(&attributes, pointer) == cudaSuccess)
    return attributes.type == cudaMemoryTypeDevice;
  static_cast<void>(cudaGetLastError());
  return false;
}

/// Where the blocks of one side begin in memory without gaps, in rows.
std::vector<std::int64_t> packed_begins(std::span<const std::int64_t> counts) {
  std::vector<std::int64_t> begins;
  std::int64_t row = 0;
  for (const std::int64_t count : counts) {
    begins.push_back(row);
    row += count;
  }
  return begins;
}

class DeviceCommunicator final : public Communicator {
 public:
  DeviceCommunicator(Communicator& over, int device) : over_{over}, device_{device} {}
  DeviceCommunicator(std::unique_ptr<Communicator> over, int device)
      : owned_{std::move(over)}, over_{*owned_}, device_{device} {}

  [[nodiscard]] int rank() const override { return over_.rank(); }
  [[nodiscard]] int num_ranks() const override { return over_.num_ranks(); }
  [[nodiscard]] bool exchanges_device_memory() const override { return true; }

  void all_to_all(const RowExchange& exchange) override {
    run_without_agreement([&] { exchange_rows(exchange); });
  }

  void all_gather(std::span<const std::byte> sent, std::span<std::byte> received) override {
    over_.all_gather(sent, received);
  }
  void barrier() override { over_.barrier(); }

  [[nodiscard]] std::unique_ptr<Communicator> split(int colour) override {
    return std::make_unique<DeviceCommunicator>(over_.split(colour), device_);
  }

 private:
  void exchange_rows(const RowExchange& exchange) {
    check_exchange(exchange, num_ranks());
    check_cuda(cudaSetDevice(device_), "cudaSetDevice");
    const bool stages = !over_.exchanges_device_memory();
    const bool stages_sent = stages && is_of_device(exchange.send);
    const bool stages_received = stages && is_of_device(exchange.receive);
    RowExchange staged = exchange;
    std::vector<std::int64_t> send_begins;
    std::vector<std::int64_t> receive_begins;
    if (stages_sent) {
      send_begins = packed_begins(exchange.send_counts);
      staged.send_begins = send_begins;
      staged.send = sent_to_host(exchange);
    }
    if (stages_received) {
      receive_begins = packed_begins(exchange.receive_counts);
      staged.receive_begins = receive_begins;
      staged.receive = received_.with_room_for(received_blocks(exchange).bytes);
    }
    over_.all_to_all(staged);
    if (stages_received) copy_to_device(exchange, static_cast<const std::byte*>(staged.receive));
  }

  static PackedBlocks received_blocks(const RowExchange& exchange) {
    return packed_blocks(exchange.receive_counts, exchange.receive_begins, exchange.row_bytes);
  }

  const std::byte* sent_to_host(const RowExchange& exchange) {
    const PackedBlocks blocks =
        packed_blocks(exchange.send_counts, exchange.send_begins, exchange.row_bytes);
    std::byte* host = sent_.with_room_for(blocks.bytes);
    const auto* device = static_cast<const std::byte*>(exchange.send);
    for (const PackedBlock& block : blocks.all)
      copy(host + block.packed, device + block.begin, block.bytes);
    check_cuda(cudaStreamSynchronize(stream_.get()), "copy of sent rows");
    return host;
  }

  void copy_to_device(const RowExchange& exchange, const std::byte* host) {
    auto* device = static_cast<std::byte*>(exchange.receive);
    for (const PackedBlock& block : received_blocks(exchange).all)
      copy(device + block.begin, host + block.packed, block.bytes);
    check_cuda(cudaStreamSynchronize(stream_.get()), "copy of received rows");
  }

  void copy(std::byte* to, const std::byte* from, std::size_t bytes) {
    if (bytes > 0)
      check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_.get()),
                 "cudaMemcpyAsync");
  }

  std::unique_ptr<Communicator> owned_;
  Communicator& over_;
  int device_;
  DeviceStream stream_;
  PinnedMemory sent_;
  PinnedMemory received_;
};

}  // namespace

std::unique_ptr<Communicator> make_device_communicator(Communicator& over, int device) {
  return std::make_unique<DeviceCommunicator>(over, device);
}

}  // namespace switchyard::kernels
