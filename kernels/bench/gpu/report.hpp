#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/bench/gpu/timing.hpp"

namespace switchyard::kernels {

/// One line of results.
struct BenchPoint {
  std::string section;
  std::string shape;
  std::string product;  ///< or phase
  std::string implementation;
  double flop = 0.0;   ///< of one call
  double bytes = 0.0;  ///< each operand once
};

/// Collects points, and errors of sections that failed; the file is whole after each of them.
class BenchReport {
 public:
  BenchReport(std::string path, const CudaBackend& cuda);

  /// Times a point and prints it. An error is recorded instead of its times.
  void measure(CudaBackend& cuda, const BenchPoint& point, const TimingPlan& plan,
               const std::function<void(int)>& call);

  /// Runs a section; what it throws is recorded.
  void run_section(const std::string& name, const std::function<void()>& section);

 private:
  void write() const;

  std::string path_;
  std::string device_;
  std::vector<std::string> points_;
  std::vector<std::string> errors_;
};

}  // namespace switchyard::kernels
