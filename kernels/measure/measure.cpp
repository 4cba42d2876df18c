#include "kernels/measure/measure.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <thread>

#include "kernels/comm/gather.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/bench_ranks.hpp"
#include "kernels/measure/check_kernels.hpp"
#include "kernels/measure/machine.hpp"
#include "kernels/run/run_measurement.hpp"

namespace switchyard::kernels {
namespace {

using Clock = std::chrono::steady_clock;

/// Rates of one rank, for choosing points.
void measure_rates(BenchRanks& bench, MeasurePlan& plan) {
  const OperatorPoint product{
      .op = MeasuredOperator::kGemm, .sizes = {384, 1024, 1024}, .threads = plan.threads};
  plan.flop_per_s = rough_cost(product).flop / bench.time(product).second.median_s;
  const OperatorPoint copy{
      .op = MeasuredOperator::kCopy, .sizes = {64'000'000}, .threads = plan.threads};
  plan.bytes_per_s = rough_cost(copy).bytes / bench.time(copy).second.median_s;
}

enum class Next : std::int64_t { kMeasure, kSkip, kEnd };

/// The run over all points, on one rank.
class Run {
 public:
  Run(const MeasureSpec& spec, Communicator* world)
      : spec_{spec}, world_{world}, bench_{spec.plan, world} {
    if (is_first()) {
      file_.emplace(spec.file, machine_head(spec.software));
      for (int ranks = 1; ranks <= spec.plan.ranks; ++ranks)
        bench_.expect_reference(ranks, file_->fastest_reference_s(ranks));
    }
    MeasurePlan plan = spec.plan;
    if (world == nullptr) measure_rates(bench_, plan);
    points_ = choose_points(plan);
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
    const QuietSamples samples = bench_.time(point);
    if (!is_first()) return true;
    if (is_layer(point.op)) {
      OperatorPoint forward = point;
      forward.op = MeasuredOperator::kLayerForward;
      file_->add(forward, pass, samples.first, samples.reference_s);
    }
    file_->add(point, pass, samples.second, samples.reference_s);
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
    while (bench_.is_disturbed(point)) {
      const bool may_wait = waited() < kMostWaiting * elapsed_s() &&
                            (spec_.is_stopped == nullptr || !*spec_.is_stopped);
      if (agreed(may_wait ? Next::kMeasure : Next::kEnd) == Next::kEnd) break;
      std::this_thread::sleep_for(kPause);
    }
    waited_s_ = waited();
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
  BenchRanks bench_;
  Clock::time_point begin_ = Clock::now();
  double waited_s_ = 0.0;
  std::vector<OperatorPoint> points_;
  std::optional<PointsFile> file_;  ///< of the first rank
  MeasureResult result_;
};

}  // namespace

MeasureResult measure_machine(MeasureSpec spec) {
  if (spec.plan.ranks == 1) spec.plan.transport = Transport::kNone;
  check_cpu_kernels(spec.plan.threads);
  if (spec.plan.transport != Transport::kMpi) return Run{spec, nullptr}.finish();
  MeasureResult result;
  run_on_transport(Transport::kMpi, spec.plan.ranks, [&](Communicator& world) {
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
