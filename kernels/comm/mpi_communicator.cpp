#include "kernels/comm/mpi_communicator.hpp"

#include <mpi.h>
#if defined(OPEN_MPI)
#include <mpi-ext.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "kernels/comm/exchange_check.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

void require_success(int status, const char* call) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(status, text, &length);
  throw KernelError{Fault::kTransport, std::string{"mpi: "} + call + ": " + text};
}

/// MPI 3 counts in int. A rank that has more cannot agree on it: others are in the exchange.
int as_int(std::int64_t number, const char* what) {
  if (number <= std::numeric_limits<int>::max()) return static_cast<int>(number);
  throw KernelError{Fault::kTransport, std::string{"mpi: "} + what + ": expected below 2^31, got " +
                                           std::to_string(number)};
}

std::vector<int> as_ints(std::span<const std::int64_t> numbers, const char* what) {
  std::vector<int> result;
  for (const std::int64_t number : numbers) result.push_back(as_int(number, what));
  return result;
}

/// A datatype for a row, so that counts are rows and 2^31 bytes no limit.
class RowType {
 public:
  explicit RowType(std::size_t bytes) {
    require_success(MPI_Type_contiguous(as_int(static_cast<std::int64_t>(bytes), "row_bytes"),
                                        MPI_BYTE, &type_),
                    "MPI_Type_contiguous");
    require_success(MPI_Type_commit(&type_), "MPI_Type_commit");
  }
  ~RowType() { MPI_Type_free(&type_); }
  RowType(const RowType&) = delete;
  RowType& operator=(const RowType&) = delete;

  [[nodiscard]] MPI_Datatype get() const { return type_; }

 private:
  MPI_Datatype type_ = MPI_DATATYPE_NULL;
};

class MpiCommunicator final : public Communicator {
 public:
  enum class Ends { kCommunicator, kMpi };

  MpiCommunicator(MPI_Comm comm, Ends ends) : comm_{comm}, ends_{ends} {
    MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &num_ranks_);
  }
  ~MpiCommunicator() override {
    if (ends_ == Ends::kMpi)
      MPI_Finalize();
    else
      MPI_Comm_free(&comm_);
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int num_ranks() const override { return num_ranks_; }
  [[nodiscard]] bool exchanges_device_memory() const override { return mpi_takes_gpu_memory(); }

  void all_to_all(const RowExchange& exchange) override {
    check_exchange(exchange, num_ranks_);
    const RowType row{exchange.row_bytes};
    const auto send_counts = as_ints(exchange.send_counts, "send_counts");
    const auto send_begins = as_ints(exchange.send_begins, "send_begins");
    const auto receive_counts = as_ints(exchange.receive_counts, "receive_counts");
    const auto receive_begins = as_ints(exchange.receive_begins, "receive_begins");
    require_success(MPI_Alltoallv(exchange.send, send_counts.data(), send_begins.data(), row.get(),
                                  exchange.receive, receive_counts.data(), receive_begins.data(),
                                  row.get(), comm_),
                    "MPI_Alltoallv");
  }

  void all_gather(std::span<const std::byte> sent, std::span<std::byte> received) override {
    check_gather(sent, received, num_ranks_);
    const int bytes = as_int(std::ssize(sent), "all_gather bytes");
    require_success(
        MPI_Allgather(sent.data(), bytes, MPI_BYTE, received.data(), bytes, MPI_BYTE, comm_),
        "MPI_Allgather");
  }

  void barrier() override { require_success(MPI_Barrier(comm_), "MPI_Barrier"); }

  [[nodiscard]] std::unique_ptr<Communicator> split(int colour) override {
    MPI_Comm part = MPI_COMM_NULL;
    require_success(MPI_Comm_split(comm_, colour, rank_, &part), "MPI_Comm_split");
    return std::make_unique<MpiCommunicator>(part, Ends::kCommunicator);
  }

 private:
  MPI_Comm comm_;
  Ends ends_;
  int rank_ = 0;
  int num_ranks_ = 1;
};

}  // namespace

bool has_mpi() { return true; }

bool mpi_takes_gpu_memory() {
#if defined(MPIX_CUDA_AWARE_SUPPORT) && MPIX_CUDA_AWARE_SUPPORT
  return MPIX_Query_cuda_support() == 1;
#else
  return false;
#endif
}

std::unique_ptr<Communicator> make_mpi_world() {
  int is_initialised = 0;
  MPI_Initialized(&is_initialised);
  if (is_initialised != 0)
    throw KernelError{Fault::kTransport, "mpi: expected to be initialised once per process"};
  int threads = MPI_THREAD_SINGLE;
  require_success(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &threads),
                  "MPI_Init_thread");
  auto world = std::make_unique<MpiCommunicator>(MPI_COMM_WORLD, MpiCommunicator::Ends::kMpi);
  if (threads < MPI_THREAD_SERIALIZED)
    throw KernelError{Fault::kTransport,
                      "mpi: expected MPI_THREAD_SERIALIZED, got level " + std::to_string(threads)};
  return world;
}

void abort_mpi_world(int exit_code) {
  int is_initialised = 0;
  int is_finalised = 0;
  MPI_Initialized(&is_initialised);
  MPI_Finalized(&is_finalised);
  if (is_initialised != 0 && is_finalised == 0) MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::exit(exit_code);
}

}  // namespace switchyard::kernels
