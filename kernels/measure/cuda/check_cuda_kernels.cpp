#include "kernels/measure/cuda/check_cuda_kernels.hpp"

#include "kernels/cuda/check/check.hpp"
#include "kernels/cuda/check/grouped_data.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

using enum MeasuredOperator;

// As in kernels/cuda/check: results in bfloat16 are off by up to 2^-9 from rounding.
template <class T>
constexpr double kTolerance = std::is_same_v<T, float> ? 1e-5 : 4e-3;
constexpr double kGradientTolerance = 5e-5;

template <class T>
void require_rows(const std::string& what, CudaBackend& cuda, const DeviceBuffer<T>& got,
                  std::span<const double> expected, double tolerance) {
  const auto all = on_host(got, cuda.stream());
  Buffer<T> rows(expected.size());
  std::copy_n(all.data(), expected.size(), rows.data());
  require_error(what, frobenius_error(rows, expected), tolerance);
}

template <class T>
void check_product(CudaBackend& cuda, MeasuredOperator op, const GroupedCase& of) {
  const auto data = make_data<T>(cuda, of);
  const auto shape = shape_of(data);
  DeviceBuffer<T> out;
  if (op == kGroupedWeightGradient) {
    DeviceBuffer<float> dw;
    poison(dw, data.w.size(), cuda.stream());
    grouped_weight_gradient(shape, cuda, data.device_dy.data(), data.device_x.data(), dw.data());
    return require_rows("gradients of weights", cuda, dw, expected_weight_gradient(data),
                        kGradientTolerance);
  }
  if (op == kGroupedDataGradient) {
    poison(out, numbers(of.max_rows(), of.k), cuda.stream());
    grouped_data_gradient(shape, cuda, data.device_dy.data(), data.device_w.data(), out.data());
    return require_rows("gradients of rows", cuda, out, expected_data_gradient(data),
                        kTolerance<T>);
  }
  poison(out, numbers(of.max_rows(), of.n), cuda.stream());
  grouped_forward(shape, cuda, data.device_x.data(), data.device_w.data(), out.data());
  require_rows("rows", cuda, out, expected_forward(data), kTolerance<T>);
}

template <class T>
void add_product_checks(std::vector<OperatorCheck>& checks) {
  const GroupedCase small{{0, 5, 0, 64, 65, 1, 0}, 136, 72};
  const GroupedCase tiles{{130, 0, 257, 63}, 264, 136};
  for (const auto op : {kGroupedForward, kGroupedDataGradient, kGroupedWeightGradient})
    checks.push_back({{op}, !std::is_same_v<T, float>, [=](CudaBackend& cuda) {
                        for (const auto& of : {small, tiles}) check_product<T>(cuda, op, of);
                      }});
  checks.push_back({{kGemm}, !std::is_same_v<T, float>, [](CudaBackend& cuda) {
                      for (const int rows : {1, 65, 257})
                        check_product<T>(cuda, kGemm, {{rows}, 264, 136});
                    }});
}

}  // namespace

std::vector<OperatorCheck> product_checks() {
  std::vector<OperatorCheck> checks;
  add_product_checks<float>(checks);
  add_product_checks<BFloat16>(checks);
  return checks;
}

std::vector<FailedCheck> failed_cuda_checks(CudaBackend& cuda) {
  std::vector<OperatorCheck> checks = product_checks();
  for (const auto& more : {row_checks(), router_and_layer_checks()})
    checks.insert(checks.end(), more.begin(), more.end());
  std::vector<FailedCheck> failed;
  for (const OperatorCheck& check : checks) {
    std::string message;
    try {
      check.run(cuda);
      cuda.synchronize();
      continue;
    } catch (const std::exception& error) {
      message = error.what();
    }
    for (const MeasuredOperator op : check.of) failed.push_back({op, check.is_bfloat16, message});
    try {
      cuda.synchronize();
    } catch (const KernelError& error) {
      throw KernelError{Fault::kDevice,
                        "kernel check: " + std::string{operator_name(check.of.front())} + ": " +
                            message + "; the GPU is lost to this process: nothing was measured"};
    }
  }
  return failed;
}

}  // namespace switchyard::kernels
