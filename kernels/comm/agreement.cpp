#include "kernels/comm/agreement.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <stdexcept>
#include <vector>

#include "kernels/comm/gather.hpp"

namespace switchyard::kernels {
namespace {

constexpr std::int32_t kNoFault = -1;
constexpr std::size_t kMessageBytes = 256;
using Message = std::array<char, kMessageBytes>;

}  // namespace

void LocalFault::guard(const std::function<void()>& work) {
  if (happened_) return;
  try {
    work();
    return;
  } catch (const KernelError& error) {
    // A transport that failed cannot be agreed on.
    if (error.fault() == Fault::kTransport) throw;
    fault_ = error.fault();
    message_ = error.what();
  } catch (const std::bad_alloc&) {
    fault_ = Fault::kAllocation;
    message_ = "out of memory";
  } catch (const std::length_error&) {
    fault_ = Fault::kAllocation;
    message_ = "out of memory: an array that no memory can hold";
  }
  happened_ = true;
}

void agree(Communicator& ranks, const LocalFault& fault) {
  const auto mine = fault.happened() ? static_cast<std::int32_t>(fault.fault()) : kNoFault;
  const auto faults = gathered<std::int32_t>(ranks, {&mine, 1});
  const auto first = std::ranges::find_if(faults, [](auto of_rank) { return of_rank != kNoFault; });
  if (first == faults.end()) return;
  Message text{};
  fault.message().copy(text.data(), text.size() - 1);
  const auto messages = gathered<Message>(ranks, {&text, 1});
  const auto rank = first - faults.begin();
  throw KernelError{
      static_cast<Fault>(*first),
      "rank " + std::to_string(rank) + ": " + messages[static_cast<std::size_t>(rank)].data()};
}

void run_without_agreement(const std::function<void()>& work) {
  try {
    work();
  } catch (const KernelError& error) {
    throw KernelError{Fault::kTransport, error.what()};
  }
}

}  // namespace switchyard::kernels
