#include "kernels/measure/measure.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "kernels/comm/gather.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/file_lock.hpp"
#include "kernels/measure/measure_backend.hpp"
#include "kernels/run/run_measurement.hpp"

namespace switchyard::kernels {
namespace {

using Clock = std::chrono::steady_clock;

enum class Next : std::int64_t { kMeasure, kSkip, kEnd };

std::unique_ptr<MeasureBackend> make_backend(const MeasureSpec& spec, Communicator* world) {
  return spec.device == MeasureDevice::kCuda ? make_cuda_measure(spec.plan, world)
                                             : make_cpu_measure(spec.plan, world);
}

bool has_processes(const MeasurePlan& plan) {
  return plan.transport == Transport::kMpi || plan.transport == Transport::kNccl;
}

/// The run over all points, on one rank.
class Run {
 public:
  Run(const MeasureSpec& spec, Communicator* world)
      : spec_{spec}, world_{world}, bench_{make_backend(spec, world)} {
    failed_ = bench_->check();
    if (is_first()) {
      file_.emplace(spec.file, bench_->head(spec.software), bench_->has_clock());
      for (int ranks = 1; ranks <= spec.plan.ranks; ++ranks)
        bench_->expect_reference(ranks, file_->fastest_reference_s(ranks));
    }
    points_ = bench_->choose(spec.plan);
    leave_out_failed();
    result_.total = 2 * points_.size();
  }

  MeasureResult finish() {
    constexpr double kPassEnds[] = {0.5, 0.9};  // of the budget
    constexpr int kMostPasses = 6;
    for (int pass = 0; pass < kMostPasses && !result_.was_stopped; ++pass) {
      const double until = pass < 2 ? kPassEnds[pass] : 1.0;
      for (const OperatorPoint& point : points_)
        if (!step(point, pass, until * spec_.plan.budget_s)) break;
      std::ranges::reverse(points_);
    }
    if (is_first()) summarise();
    return result_;
  }

 private:
  [[nodiscard]] bool is_first() const { return world_ == nullptr || world_->rank() == 0; }

  [[nodiscard]] double elapsed_s() const {
    return std::chrono::duration<double>(Clock::now() - begin_).count();
  }

  /// Points with two passes while the machine was quiet need no more.
  [[nodiscard]] bool is_good(const OperatorPoint& point) const {
    const auto found = file_->passes().find(point_key(point));
    if (found == file_->passes().end()) return false;
    const double limit = kDisturbed * file_->fastest_reference_s(found->second.num_ranks);
    return std::ranges::count_if(found->second.references_s,
                                 [&](double s) { return s <= limit; }) >= 2;
  }

  Next decide(const OperatorPoint& point, int pass, double until_s) {
    if (spec_.is_stopped != nullptr && *spec_.is_stopped) {
      result_.was_stopped = true;
      return Next::kEnd;
    }
    // Later passes are of points that the first one reached: two times of each say how far they
    // vary.
    if (file_->has(point, pass) || (pass >= 1 && !file_->has(point, 0)) ||
        (pass >= 2 && is_good(point)))
      return Next::kSkip;
    if (elapsed_s() > until_s) {
      result_.ran_out_of_time = result_.ran_out_of_time || pass < 2;
      return Next::kEnd;
    }
    return Next::kMeasure;
  }

  /// What rank 0 says.
  Next agreed(Next mine) {
    if (world_ == nullptr) return mine;
    const auto number = static_cast<std::int64_t>(mine);
    return static_cast<Next>(gathered<std::int64_t>(*world_, {&number, 1}).front());
  }

  /// False when the pass is over.
  bool step(const OperatorPoint& point, int pass, double until_s) {
    const Next next = agreed(is_first() ? decide(point, pass, until_s) : Next::kSkip);
    if (next == Next::kEnd) return false;
    if (next == Next::kSkip) return true;
    if (is_first() && spec_.progress)
      spec_.progress({.done = num_done(),
                      .total = result_.total,
                      .elapsed_s = elapsed_s(),
                      .budget_s = spec_.plan.budget_s,
                      .point = point_key(point)});
    wait_for_quiet(point);
    const auto samples = samples_of(point);
    if (!samples || !is_first()) return true;
    const auto clock_mhz = bench_->has_clock() ? bench_->state().clock_mhz : std::nullopt;
    if (is_layer(point.op)) {
      OperatorPoint forward = point;
      forward.op = MeasuredOperator::kLayerForward;
      file_->add(forward, pass, samples->first, samples->reference_s, clock_mhz);
    }
    file_->add(point, pass, samples->second, samples->reference_s, clock_mhz);
    return true;
  }

  /// Until nobody else works on the machine, or enough of the time was spent on that. All ranks
  /// call it together.
  void wait_for_quiet(const OperatorPoint& point) {
    constexpr auto kPause = std::chrono::milliseconds{20};
    const Clock::time_point begin = Clock::now();
    const auto waited = [&] {
      return waited_s_ + std::chrono::duration<double>(Clock::now() - begin).count();
    };
    while (bench_->is_disturbed(point)) {
      const bool may_wait = waited() < kMostWaiting * elapsed_s() &&
                            (spec_.is_stopped == nullptr || !*spec_.is_stopped);
      if (agreed(may_wait ? Next::kMeasure : Next::kEnd) == Next::kEnd) break;
      std::this_thread::sleep_for(kPause);
    }
    waited_s_ = waited();
  }

  /// Nothing where the memory is not there, or a call failed that the device outlives. With other
  /// ranks that ends the run: they would wait for one that goes on without them.
  std::optional<QuietSamples> samples_of(const OperatorPoint& point) {
    if (world_ != nullptr) return bench_->time(point);
    std::string obstacle = bench_->obstacle(point);
    try {
      if (obstacle.empty()) return bench_->time(point);
    } catch (const KernelError& error) {
      const bool is_of_device = error.fault() == Fault::kDevice && bench_->is_usable();
      if (error.fault() != Fault::kAllocation && !is_of_device) throw;
      obstacle = error.what();
    }
    result_.skipped.push_back(point_key(point) + ": " + obstacle);
    return std::nullopt;
  }

  void leave_out_failed() {
    for (const FailedCheck& failed : failed_) {
      result_.failed_checks.push_back(std::string{operator_name(failed.op)} +
                                      (failed.is_bfloat16 ? " (bfloat16): " : " (float32): ") +
                                      failed.message);
      std::erase_if(points_, [&](const OperatorPoint& point) {
        return point.op == failed.op && point.is_bfloat16 == failed.is_bfloat16;
      });
    }
  }

  [[nodiscard]] std::size_t num_done() const {
    std::size_t done = 0;
    for (const OperatorPoint& point : points_)
      done += static_cast<std::size_t>(file_->has(point, 0)) +
              static_cast<std::size_t>(file_->has(point, 1));
    return done;
  }

  void summarise() {
    result_.done = num_done();
    std::vector<double> slowness;  // reference product over the fastest of as many ranks
    for (const auto& [key, passes] : file_->passes())
      for (const double reference : passes.references_s)
        slowness.push_back(reference / file_->fastest_reference_s(passes.num_ranks));
    if (slowness.empty()) return;
    const auto disturbed = std::ranges::count_if(slowness, [](double s) { return s > kDisturbed; });
    result_.disturbed_share = static_cast<double>(disturbed) / static_cast<double>(slowness.size());
    const Spread spread = spread_of(std::move(slowness));
    result_.drift = spread.p90 / spread.p10 - 1.0;
  }

  const MeasureSpec& spec_;
  Communicator* world_;
  std::unique_ptr<MeasureBackend> bench_;
  std::vector<FailedCheck> failed_;
  Clock::time_point begin_ = Clock::now();
  double waited_s_ = 0.0;
  std::vector<OperatorPoint> points_;
  std::optional<PointsFile> file_;  ///< of the first rank
  MeasureResult result_;
};

}  // namespace

void require_measurable(MeasureDevice device) {
  if (device == MeasureDevice::kCuda) static_cast<void>(make_cuda_measure({.ranks = 1}, nullptr));
}

MeasureResult measure_machine(MeasureSpec spec) {
  if (spec.plan.ranks == 1) spec.plan.transport = Transport::kNone;
  if (!has_processes(spec.plan)) {
    const RanksLock lock{spec.file, nullptr};
    return Run{spec, nullptr}.finish();
  }
  MeasureResult result;
  run_on_transport(spec.plan.transport, spec.plan.ranks, [&](Communicator& world) {
    const RanksLock lock{spec.file, &world};
    try {
      result = Run{spec, &world}.finish();
    } catch (const KernelError& error) {
      // Rank 0 alone may fail, on its file: the others must not wait for it.
      throw KernelError{Fault::kTransport, error.what()};
    }
  });
  return result;
}

}  // namespace switchyard::kernels
