#include "kernels/comm/nccl_communicator.hpp"

#include <nccl.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "kernels/comm/agreement.hpp"
#include "kernels/comm/exchange_check.hpp"
#include "kernels/comm/gather.hpp"
#include "kernels/comm/gpu_staging.hpp"
#include "kernels/comm/packed_blocks.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

void require_nccl(ncclResult_t status, const char* call) {
  if (status == ncclSuccess) return;
  throw KernelError{Fault::kTransport,
                    std::string{"nccl: "} + call + ": " + ncclGetErrorString(status)};
}

/// Names a GPU among those of all hosts.
using GpuName = std::array<char, 128>;

GpuName name_of_gpu(int device) {
  char host[64] = {};
  char bus[32] = {};
  gethostname(host, sizeof host - 1);
  require_cuda(cudaDeviceGetPCIBusId(bus, sizeof bus, device), "cudaDeviceGetPCIBusId");
  GpuName name{};
  (std::string{bus} + " of host " + host).copy(name.data(), name.size() - 1);
  return name;
}

void require_own_gpus(const std::vector<GpuName>& names) {
  for (std::size_t a = 0; a < names.size(); ++a)
    for (std::size_t b = a + 1; b < names.size(); ++b)
      if (names[a] == names[b])
        throw KernelError{Fault::kDevice,
                          "nccl: ranks " + std::to_string(a) + " and " + std::to_string(b) +
                              " are both on GPU " + names[a].data() +
                              ", expected a GPU for each rank (use mpi or loopback for several "
                              "ranks on one)"};
}

class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(ncclComm_t comm, int device) : comm_{comm}, device_{device} {
    require_nccl(ncclCommUserRank(comm_, &rank_), "ncclCommUserRank");
    require_nccl(ncclCommCount(comm_, &num_ranks_), "ncclCommCount");
    require_cuda(cudaSetDevice(device_), "cudaSetDevice");
    require_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
  }
  ~NcclCommunicator() override {
    cudaStreamDestroy(stream_);
    ncclCommDestroy(comm_);
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int num_ranks() const override { return num_ranks_; }
  [[nodiscard]] bool exchanges_device_memory() const override { return true; }

  void all_to_all(const RowExchange& exchange) override {
    check_exchange(exchange, num_ranks_);
    // The thread of exchanges may be another than the one that made this.
    require_cuda(cudaSetDevice(device_), "cudaSetDevice");
    const PackedBlocks sent =
        packed_blocks(exchange.send_counts, exchange.send_begins, exchange.row_bytes);
    const PackedBlocks received =
        packed_blocks(exchange.receive_counts, exchange.receive_begins, exchange.row_bytes);
    auto* send = static_cast<std::byte*>(const_cast<void*>(exchange.send));
    auto* receive = static_cast<std::byte*>(exchange.receive);
    const bool stages_sent = !is_on_gpu(send);
    const bool stages_received = !is_on_gpu(receive);
    std::byte* from = stages_sent ? sent_.with_room_for(sent.bytes) : send;
    std::byte* to = stages_received ? received_.with_room_for(received.bytes) : receive;
    for (const PackedBlock& block : sent.all)
      if (stages_sent) copy(from + block.packed, send + block.begin, block.bytes);
    require_nccl(ncclGroupStart(), "ncclGroupStart");
    for (int peer = 0; peer < num_ranks_; ++peer) {
      const PackedBlock& out = sent.all[static_cast<std::size_t>(peer)];
      const PackedBlock& in = received.all[static_cast<std::size_t>(peer)];
      if (out.bytes > 0)
        require_nccl(ncclSend(from + (stages_sent ? out.packed : out.begin), out.bytes, ncclInt8,
                              peer, comm_, stream_),
                     "ncclSend");
      if (in.bytes > 0)
        require_nccl(ncclRecv(to + (stages_received ? in.packed : in.begin), in.bytes, ncclInt8,
                              peer, comm_, stream_),
                     "ncclRecv");
    }
    require_nccl(ncclGroupEnd(), "ncclGroupEnd");
    for (const PackedBlock& block : received.all)
      if (stages_received) copy(receive + block.begin, to + block.packed, block.bytes);
    require_cuda(cudaStreamSynchronize(stream_), "all_to_all");
  }

  void all_gather(std::span<const std::byte> sent, std::span<std::byte> received) override {
    check_gather(sent, received, num_ranks_);
    require_cuda(cudaSetDevice(device_), "cudaSetDevice");
    std::byte* from = sent_.with_room_for(sent.size());
    std::byte* to = received_.with_room_for(received.size());
    copy(from, sent.data(), sent.size());
    require_nccl(ncclAllGather(from, to, sent.size(), ncclInt8, comm_, stream_), "ncclAllGather");
    copy(received.data(), to, received.size());
    require_cuda(cudaStreamSynchronize(stream_), "all_gather");
  }

  void barrier() override {
    const std::byte mine{};
    std::vector<std::byte> all(static_cast<std::size_t>(num_ranks_));
    all_gather({&mine, 1}, all);
  }

  [[nodiscard]] std::unique_ptr<Communicator> split(int colour) override {
    ncclComm_t part = nullptr;
    require_nccl(ncclCommSplit(comm_, colour, rank_, &part, nullptr), "ncclCommSplit");
    return std::make_unique<NcclCommunicator>(part, device_);
  }

 private:
  void copy(std::byte* to, const std::byte* from, std::size_t bytes) {
    require_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_), "cudaMemcpyAsync");
  }

  ncclComm_t comm_;
  int device_;
  int rank_ = 0;
  int num_ranks_ = 1;
  cudaStream_t stream_ = nullptr;
  GpuStaging sent_;
  GpuStaging received_;
};

}  // namespace

bool has_nccl() { return true; }

std::unique_ptr<Communicator> make_nccl_communicator(Communicator& start) {
  int device = 0;
  LocalFault fault;
  GpuName name{};
  ncclUniqueId id{};
  fault.guard([&] {
    int num_devices = 0;
    require_cuda(cudaGetDeviceCount(&num_devices), "cudaGetDeviceCount");
    if (num_devices < 1) throw KernelError{Fault::kDevice, "nccl: expected a GPU, found none"};
    device = start.rank() % num_devices;
    name = name_of_gpu(device);
    require_cuda(cudaSetDevice(device), "cudaSetDevice");
    if (start.rank() == 0 && ncclGetUniqueId(&id) != ncclSuccess)
      throw KernelError{Fault::kDevice, "nccl: ncclGetUniqueId failed"};
  });
  agree(start, fault);
  require_own_gpus(gathered<GpuName>(start, {&name, 1}));
  ncclComm_t comm = nullptr;
  require_nccl(ncclCommInitRank(&comm, start.num_ranks(),
                                gathered<ncclUniqueId>(start, {&id, 1}).front(), start.rank()),
               "ncclCommInitRank");
  return std::make_unique<NcclCommunicator>(comm, device);
}

}  // namespace switchyard::kernels
