#pragma once

#include <functional>

#include "kernels/comm/communicator.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

/// The first fault of this rank since the last agreement. A rank with a fault goes on to take part
/// in exchanges, with whatever its buffers hold, until all agree.
class LocalFault {
 public:
  /// Calls `work` unless there is a fault already; keeps the KernelError, failed allocation or
  /// length_error that it throws. What else it throws is no fault of the input and goes on.
  void guard(const std::function<void()>& work);

  [[nodiscard]] bool happened() const { return happened_; }
  [[nodiscard]] Fault fault() const { return fault_; }
  [[nodiscard]] const std::string& message() const { return message_; }

 private:
  bool happened_ = false;
  Fault fault_ = Fault::kSpec;
  std::string message_;
};

/// When any rank has a fault, all throw the one of the lowest such rank: "rank 2: inputs: ...". All
/// of the group must call it. Sends 4 bytes to each rank, and the message when there is one.
/// @throws KernelError
void agree(Communicator& ranks, const LocalFault& fault);

/// Runs `work` on which no agreement follows: its KernelErrors become kTransport, which ends the
/// run on all ranks.
void run_without_agreement(const std::function<void()>& work);

}  // namespace switchyard::kernels
