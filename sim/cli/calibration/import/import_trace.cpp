#include "sim/cli/calibration/import/import_trace.hpp"

#include <map>
#include <numeric>
#include <tuple>

#include "sim/cli/calibration/import/trace_shapes.hpp"
#include "sim/core/quantile.hpp"

namespace switchyard {
namespace {

/// Times of what is one line of the result, in the order in which it came first.
template <class Key>
struct Times {
  std::map<Key, std::size_t> places;
  std::vector<std::pair<Key, std::vector<double>>> rows;

  void add(const Key& key, double seconds) {
    const auto [place, is_new] = places.try_emplace(key, rows.size());
    if (is_new) rows.push_back({key, {}});
    rows[place->second].second.push_back(seconds);
  }
};

using PointKey = std::tuple<std::string, std::string, std::string, int>;
using UnusedKey = std::pair<std::string, std::string>;

/// One call: an operator with all its kernels, or a collective's kernel.
struct Call {
  TracedShape shape;
  double seconds = 0;
  std::vector<const TracedKernel*> kernels;
};

TracedShape shape_of(const GpuTrace& trace, const TracedKernel& kernel) {
  const TracedOperator* op = operator_of(trace, kernel);
  if (kernel.collective) return collective_shape(*kernel.collective);
  if (op != nullptr && op->collective) return collective_shape(*op->collective);
  if (is_nccl_kernel(kernel.name))
    return {.reason = "a collective without its size, type or ranks in the trace"};
  if (op != nullptr) return product_shape(*op);
  return {.reason = "no operator with shapes is linked to it (record_shapes=True, no CUDA graphs)"};
}

std::vector<Call> calls_of(const GpuTrace& trace) {
  std::vector<Call> calls;
  std::map<std::int64_t, std::size_t> places;  // of operators
  for (const TracedKernel& kernel : trace.kernels) {
    const std::int64_t id = operator_id(trace, kernel);
    const bool is_collective = kernel.collective.has_value() || is_nccl_kernel(kernel.name);
    std::size_t place = calls.size();
    if (id >= 0 && !is_collective) place = places.try_emplace(id, calls.size()).first->second;
    if (place == calls.size()) calls.push_back({.shape = shape_of(trace, kernel), .kernels = {}});
    calls[place].seconds += kernel.duration_us / 1e6;
    calls[place].kernels.push_back(&kernel);
  }
  return calls;
}

}  // namespace

ImportedFile import_trace(const GpuTrace& trace, const std::string& file) {
  ImportedFile result{.device = plain_words(trace.device), .backend = "cuda"};
  result.multiprocessors = trace.multiprocessors;
  Times<PointKey> points;
  Times<UnusedKey> unused;
  for (const Call& call : calls_of(trace)) {
    const TracedShape& shape = call.shape;
    if (!shape.name.empty() && call.seconds > 0)
      points.add({shape.name, shape.type, shape.shape, shape.ranks}, call.seconds);
    else
      for (const TracedKernel* kernel : call.kernels)
        unused.add({kernel->name, shape.name.empty() ? shape.reason : "took no time"},
                   kernel->duration_us / 1e6);
  }
  for (const auto& [key, times] : points.rows) {
    const auto& [name, type, shape, ranks] = key;
    result.points.push_back({.name = name,
                             .type = type,
                             .shape = shape,
                             .transport = ranks > 1 ? "nccl" : "none",
                             .ranks = ranks,
                             .repeats = static_cast<std::int64_t>(times.size()),
                             .median_s = quantile(times, 0.5),
                             .p10_s = quantile(times, 0.1),
                             .p90_s = quantile(times, 0.9),
                             .file = file});
  }
  for (const auto& [key, times] : unused.rows)
    result.unused.push_back({.name = key.first,
                             .reason = key.second,
                             .calls = static_cast<std::int64_t>(times.size()),
                             .median_s = quantile(times, 0.5),
                             .total_s = std::accumulate(times.begin(), times.end(), 0.0),
                             .file = file});
  return result;
}

}  // namespace switchyard
