#include "kernels/measure/sustained.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "kernels/bench/blas.hpp"
#include "kernels/comm/gather.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/file_lock.hpp"
#include "kernels/measure/measure_backend.hpp"
#include "kernels/run/run_measurement.hpp"

namespace switchyard::kernels {
namespace {

using enum MeasuredOperator;

bool has_processes(const MeasurePlan& plan) {
  return plan.transport == Transport::kMpi || plan.transport == Transport::kNccl;
}

std::unique_ptr<MeasureBackend> make_backend(const SustainedSpec& spec, Communicator* world) {
  return spec.device == MeasureDevice::kCuda ? make_cuda_measure(spec.plan, world)
                                             : make_cpu_measure(spec.plan, world);
}

/// A key has commas, which part the columns of the file.
std::string without_commas(std::string key) {
  std::ranges::replace(key, ',', ' ');
  return key;
}

/// One class, row by row; only rank 0 has a file.
class Stretch {
 public:
  Stretch(const SustainedSpec& spec, const SustainedClass& of, MeasureBackend& bench,
          SustainedFile* file)
      : spec_{spec}, of_{of}, bench_{bench}, file_{file} {
    if (file_ != nullptr) file_->begin(of_.name);
    static_cast<void>(bench_.state());  // power is since the call before
  }

  /// Whether there is to be another call.
  bool take(double seconds) {
    // The first call finds algorithms and buffers: time begins behind it.
    if (!has_begun_) {
      has_begun_ = true;
      begin_ = row_begin_ = Clock::now();
      return true;
    }
    calls_.push_back(seconds);
    const auto now = Clock::now();
    const double elapsed_s = since(begin_, now);
    if (since(row_begin_, now) >= interval_s()) end_row(elapsed_s, now);
    return elapsed_s < spec_.seconds && !is_stopped();
  }

  [[nodiscard]] bool is_stopped() const { return spec_.is_stopped != nullptr && *spec_.is_stopped; }

 private:
  using Clock = std::chrono::steady_clock;

  static double since(Clock::time_point begin, Clock::time_point end) {
    return std::chrono::duration<double>(end - begin).count();
  }

  /// A second, less where the whole is short.
  [[nodiscard]] double interval_s() const { return std::min(1.0, 0.1 * spec_.seconds); }

  void end_row(double elapsed_s, Clock::time_point now) {
    const SustainedRow row{.end_s = elapsed_s,
                           .calls = static_cast<int>(calls_.size()),
                           .call_s = spread_of(std::move(calls_)).median,
                           .state = bench_.state()};
    file_->add(of_.name, without_commas(point_key(of_.point)), row);
    if (spec_.progress) spec_.progress(of_.name, row);
    calls_.clear();
    row_begin_ = now;
  }

  const SustainedSpec& spec_;
  const SustainedClass& of_;
  MeasureBackend& bench_;
  SustainedFile* file_;
  bool has_begun_ = false;
  Clock::time_point begin_;
  Clock::time_point row_begin_;
  std::vector<double> calls_;
};

bool is_done(const SustainedFile& file, const std::string& name, double seconds) {
  const auto found = file.classes().find(name);
  return found != file.classes().end() && found->second.back().end_s >= 0.85 * seconds;
}

bool agreed(Communicator* world, bool mine) {
  if (world == nullptr) return mine;
  const std::int64_t number = mine ? 1 : 0;
  return gathered<std::int64_t>(*world, {&number, 1}).front() != 0;
}

SustainedResult run(const SustainedSpec& spec, Communicator* world) {
  const auto bench = make_backend(spec, world);
  SustainedResult result;
  const std::vector<FailedCheck> failed = bench->check();
  std::optional<SustainedFile> file;
  const bool is_first = world == nullptr || world->rank() == 0;
  if (is_first) file.emplace(spec.file, bench->head(spec.software));
  for (const SustainedClass& of : sustained_classes(spec.device, spec.plan)) {
    const auto wrong = std::ranges::find_if(failed, [&](const FailedCheck& check) {
      return check.op == of.point.op && check.is_bfloat16 == of.point.is_bfloat16;
    });
    if (wrong != failed.end()) {
      result.failed_checks.push_back(of.name + ": " + wrong->message);
      continue;
    }
    if (!agreed(world, is_first && !is_done(*file, of.name, spec.seconds))) continue;
    Stretch stretch{spec, of, *bench, file ? &*file : nullptr};
    bench->repeat(of.point, [&](double seconds) { return stretch.take(seconds); });
    const bool is_over = agreed(world, stretch.is_stopped());
    result.was_stopped = is_over && is_first;
    if (is_over) break;
  }
  if (is_first)
    for (const auto& [name, rows] : file->classes())
      if (is_done(*file, name, spec.seconds)) result.rates[name] = sustained_rate(rows);
  return result;
}

}  // namespace

std::vector<SustainedClass> sustained_classes(MeasureDevice device, const MeasurePlan& plan) {
  const bool is_gpu = device == MeasureDevice::kCuda;
  const auto sizes = [&](std::vector<std::int64_t> cpu, std::vector<std::int64_t> gpu) {
    return is_gpu ? std::move(gpu) : std::move(cpu);
  };
  std::vector<SustainedClass> classes;
  const auto add = [&](const char* name, OperatorPoint point) {
    if (!is_gpu) point.threads = plan.threads;
    classes.push_back({name, std::move(point)});
  };
  if (!has_processes(plan)) {
    add("product_bfloat16",
        {.op = kGemm, .is_bfloat16 = true, .sizes = sizes({1024, 1024, 1024}, {8192, 8192, 8192})});
    add("product_float32", {.op = kGemm, .sizes = sizes({1024, 1024, 1024}, {8192, 4096, 4096})});
    add("grouped", {.op = kGroupedForward,
                    .is_bfloat16 = true,
                    .sizes = sizes({1024, 1024, 1024, 8}, {16384, 14336, 4096, 8})});
    add("memory", {.op = kCopy, .sizes = sizes({64'000'000}, {1'000'000'000})});
    if (!is_gpu && has_blas())
      add("attention", {.op = kAttentionPrefill, .sizes = {2, 512, 16, 4, 64}});
  }
  if (plan.ranks > 1)
    add("collectives", {.op = kAllToAll,
                        .sizes = sizes({16'000'000 / plan.ranks * plan.ranks},
                                       {256'000'000 / plan.ranks * plan.ranks}),
                        .transport = plan.transport,
                        .ranks = plan.ranks});
  return classes;
}

SustainedResult measure_sustained(SustainedSpec spec) {
  if (spec.plan.ranks == 1) spec.plan.transport = Transport::kNone;
  if (!has_processes(spec.plan)) {
    const RanksLock lock{spec.file, nullptr};
    return run(spec, nullptr);
  }
  SustainedResult result;
  run_on_transport(spec.plan.transport, spec.plan.ranks, [&](Communicator& world) {
    const RanksLock lock{spec.file, &world};
    try {
      result = run(spec, &world);
    } catch (const KernelError& error) {
      // Rank 0 alone may fail, on its file: the others must not wait for it.
      throw KernelError{Fault::kTransport, error.what()};
    }
  });
  return result;
}

}  // namespace switchyard::kernels
