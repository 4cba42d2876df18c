#include "kernels/bench/gpu/report.hpp"

#include <cstdio>
#include <fstream>

namespace switchyard::kernels {
namespace {

std::string text(const std::string& value) {
  std::string result = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result + '"';
}

std::string field(const char* key, double value) {
  char buffer[96];
  std::snprintf(buffer, sizeof buffer, ", \"%s\": %.6g", key, value);
  return buffer;
}

std::string name_of(const BenchPoint& point) {
  return "{\"section\": " + text(point.section) + ", \"shape\": " + text(point.shape) +
         ", \"product\": " + text(point.product) +
         ", \"implementation\": " + text(point.implementation);
}

}  // namespace

BenchReport::BenchReport(std::string path, const CudaBackend& cuda) : path_{std::move(path)} {
  int driver = 0;
  int runtime = 0;
  static_cast<void>(cudaDriverGetVersion(&driver));
  static_cast<void>(cudaRuntimeGetVersion(&runtime));
  device_ = "{\"name\": " + text(cuda.device().name) + field("num_sms", cuda.device().num_sms) +
            field("driver", driver) + field("runtime", runtime) +
            field("cublaslt", static_cast<double>(cublasLtGetVersion())) + "}";
}

void BenchReport::measure(CudaBackend& cuda, const BenchPoint& point, const TimingPlan& plan,
                          const std::function<void(int)>& call) {
  try {
    const CallTimes times = time_calls(cuda, plan, call);
    const double tflop_per_s = point.flop / times.median_us * 1e-6;
    const double gb_per_s = point.bytes / times.median_us * 1e-3;
    points_.push_back(name_of(point) + field("median_us", times.median_us) +
                      field("p10_us", times.p10_us) + field("p90_us", times.p90_us) +
                      field("flop", point.flop) + field("bytes", point.bytes) +
                      field("tflop_per_s", tflop_per_s) + field("gb_per_s", gb_per_s) +
                      field("repeats", times.repeats) + field("calls", times.calls) + "}");
    std::printf("%-16s %-18s %-16s %10.1f us %7.1f TFLOP/s %7.1f GB/s\n", point.shape.c_str(),
                point.product.c_str(), point.implementation.c_str(), times.median_us, tflop_per_s,
                gb_per_s);
  } catch (const std::exception& error) {
    errors_.push_back(name_of(point) + ", \"error\": " + text(error.what()) + "}");
    std::printf("%-16s %-18s %-16s FAILED: %s\n", point.shape.c_str(), point.product.c_str(),
                point.implementation.c_str(), error.what());
  }
  std::fflush(stdout);
  write();
}

void BenchReport::run_section(const std::string& name, const std::function<void()>& section) {
  try {
    section();
  } catch (const std::exception& error) {
    errors_.push_back("{\"section\": " + text(name) + ", \"error\": " + text(error.what()) + "}");
    std::printf("section %s FAILED: %s\n", name.c_str(), error.what());
    write();
  }
}

void BenchReport::write() const {
  std::ofstream out{path_};
  const auto list = [&](const std::vector<std::string>& items) {
    for (std::size_t i = 0; i < items.size(); ++i)
      out << (i == 0 ? "\n    " : ",\n    ") << items[i];
  };
  out << "{\n  \"device\": " << device_ << ",\n  \"points\": [";
  list(points_);
  out << "\n  ],\n  \"errors\": [";
  list(errors_);
  out << "\n  ]\n}\n";
}

}  // namespace switchyard::kernels
