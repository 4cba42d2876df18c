#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace switchyard::kernels {

/// Rows that one rank sends to and receives from each rank of its group, itself too. Arrays are by
/// rank; counts and begins in rows. No row is both sent and received.
struct RowExchange {
  std::size_t row_bytes = 0;
  const void* send = nullptr;
  std::span<const std::int64_t> send_counts;
  std::span<const std::int64_t> send_begins;
  void* receive = nullptr;
  std::span<const std::int64_t> receive_counts;
  std::span<const std::int64_t> receive_begins;
};

/// A group of ranks that exchange bytes in host memory, some also those of GPUs. All of a group
/// must make the same calls in the same order, from one thread at a time. A call ends when this
/// rank's part is done.
///
/// Calls throw KernelError (kTransport) when the transport fails or another rank has left.
class Communicator {
 public:
  Communicator() = default;
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int num_ranks() const = 0;

  /// Whether all_to_all takes memory of GPUs, whose writers have ended.
  [[nodiscard]] virtual bool exchanges_device_memory() const { return false; }

  /// What a rank sends to another must be as many rows as that one expects; only some transports
  /// find out (loopback).
  virtual void all_to_all(const RowExchange& exchange) = 0;

  /// received = what ranks 0, 1, ... sent, one after another.
  /// @param sent      as many bytes on every rank
  /// @param received  num_ranks times as many
  virtual void all_gather(std::span<const std::byte> sent, std::span<std::byte> received) = 0;

  virtual void barrier() = 0;

  /// The group of all ranks that give the same colour, in the order of their ranks here.
  /// @param colour  not negative
  [[nodiscard]] virtual std::unique_ptr<Communicator> split(int colour) = 0;
};

/// A group of one.
[[nodiscard]] std::unique_ptr<Communicator> make_single_communicator();

/// Tells each rank the `count` numbers that each other has for it.
/// @param sent  (num_ranks, count), @param received  (num_ranks, count)
void all_to_all_counts(Communicator& ranks, std::int64_t count, std::span<const std::int64_t> sent,
                       std::span<std::int64_t> received);

/// Bytes of an exchange that go to other ranks.
[[nodiscard]] std::int64_t bytes_to_others(const Communicator& ranks, const RowExchange& exchange);

}  // namespace switchyard::kernels
