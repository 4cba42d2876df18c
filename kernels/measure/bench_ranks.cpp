#include "kernels/measure/bench_ranks.hpp"

#include <algorithm>

#include "kernels/comm/loopback.hpp"
#include "kernels/measure/check_kernels.hpp"
#include "kernels/measure/machine.hpp"
#include "kernels/measure/repeat_together.hpp"
#include "kernels/ranks/phases.hpp"

namespace switchyard::kernels {

BenchRanks::BenchRanks(const MeasurePlan& plan, Communicator* world)
    : world_{world},
      memories_(static_cast<std::size_t>(plan.ranks)),
      single_{make_single_communicator()} {
  const OperatorPoint product{
      .op = MeasuredOperator::kGemm, .sizes = {48, 512, 1024}, .threads = plan.threads};
  reference_.best_s.assign(memories_.size(), 1e30);
  for (MeasureMemory& memory : memories_) {
    cpus_.emplace_back(plan.threads);
    reference_.of_ranks.push_back([work = make_cpu_operator(product, cpus_.back(), memory)] {
      double seconds = 0.0;
      add_time(seconds, work);
      return seconds;
    });
  }
}

std::function<Sample()> BenchRanks::make(const OperatorPoint& point, Communicator& ranks) {
  if (is_layer(point.op)) return make_layer(point, ranks);
  if (is_collective(point.op)) return timed(make_collective(point, ranks), ranks, true);
  const auto rank = static_cast<std::size_t>(ranks.rank());
  return timed(make_cpu_operator(point, cpus_.at(rank), memories_.at(rank)), ranks, false);
}

void BenchRanks::on_ranks(const OperatorPoint& point,
                          const std::function<void(Communicator&)>& body) {
  const int num_ranks = std::max(point.ranks, point.busy_ranks);
  if (num_ranks == 1)
    body(*single_);
  else if (world_ != nullptr)
    body(*world_);
  else
    run_loopback(num_ranks, body);
}

bool BenchRanks::is_disturbed(const OperatorPoint& point) {
  bool answer = false;
  on_ranks(point, [&](Communicator& ranks) {
    const bool of_rank = kernels::is_disturbed(ranks, reference_);
    if (ranks.rank() == 0 || world_ != nullptr) answer = of_rank;
  });
  return answer;
}

void BenchRanks::expect_reference(int num_ranks, double best_s) {
  if (num_ranks < 1 || num_ranks > static_cast<int>(reference_.best_s.size())) return;
  double& best = reference_.best_s.at(static_cast<std::size_t>(num_ranks - 1));
  best = std::min(best, best_s);
}

QuietSamples BenchRanks::time(const OperatorPoint& point) {
  QuietSamples samples;
  on_ranks(point, [&](Communicator& ranks) {
    QuietSamples of_rank = take_samples(ranks, reference_, make(point, ranks), RepeatSpec{});
    if (ranks.rank() == 0) samples = of_rank;
  });
  return samples;
}

void BenchRanks::repeat(const OperatorPoint& point,
                        const std::function<bool(double seconds)>& goes_on) {
  on_ranks(point,
           [&](Communicator& ranks) { repeat_together(ranks, make(point, ranks), goes_on); });
}

PointsHead BenchRanks::head(const std::string& software) const {
  PointsHead head = machine_head(software);
  head.emplace_back("threads", std::to_string(cpus_.front().num_threads()));
  return head;
}

std::vector<FailedCheck> BenchRanks::check() {
  check_cpu_kernels(cpus_.front().num_threads());
  return {};
}

std::vector<OperatorPoint> BenchRanks::choose(const MeasurePlan& given) {
  MeasurePlan plan = given;
  if (world_ == nullptr) {
    const OperatorPoint product{
        .op = MeasuredOperator::kGemm, .sizes = {384, 1024, 1024}, .threads = plan.threads};
    plan.flop_per_s = rough_cost(product).flop / time(product).second.median_s;
    const OperatorPoint copy{
        .op = MeasuredOperator::kCopy, .sizes = {64'000'000}, .threads = plan.threads};
    plan.bytes_per_s = rough_cost(copy).bytes / time(copy).second.median_s;
  }
  return choose_points(plan);
}

std::unique_ptr<MeasureBackend> make_cpu_measure(const MeasurePlan& plan, Communicator* world) {
  return std::make_unique<BenchRanks>(plan, world);
}

}  // namespace switchyard::kernels
