#include "kernels/ranks/expert_exchange.hpp"

#include <algorithm>

#include "kernels/comm/exchange_queue.hpp"
#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {
namespace {

/// What the exchanges of a trip measure; read when they are done.
struct ExchangeTimes {
  double to_experts = 0.0;
  double tensor_all_reduce = 0.0;
  double from_experts = 0.0;
  std::int64_t all_to_all_bytes = 0;
  std::int64_t tensor_all_reduce_bytes = 0;
};

template <class T>
class TripExchanges {
 public:
  TripExchanges(const ExpertTrip<T>& trip, const TripWork<T>& work, ExchangeTimes& times)
      : trip_{trip}, work_{work}, times_{times} {}

  void to_experts(const ExpertChunk& chunk) {
    if (stay_here(trip_.groups)) return;
    add_time(times_.to_experts, [&] {
      all_to_all({.row_bytes = row_bytes(),
                  .send = trip_.rows.data(),
                  .send_counts = chunk.send_counts,
                  .send_begins = chunk.send_begins,
                  .receive = trip_.exchanged.data(),
                  .receive_counts = chunk.receive_counts,
                  .receive_begins = chunk.receive_begins});
    });
  }

  void from_experts(const ExpertChunk& chunk) {
    if (trip_.groups.tensor->num_ranks() > 1)
      add_time(times_.tensor_all_reduce,
               [&] { times_.tensor_all_reduce_bytes += work_.all_reduce(results(chunk)); });
    if (stay_here(trip_.groups)) return;
    add_time(times_.from_experts, [&] {
      all_to_all({.row_bytes = row_bytes(),
                  .send = trip_.exchanged.data(),
                  .send_counts = chunk.receive_counts,
                  .send_begins = chunk.receive_begins,
                  .receive = trip_.returned.data(),
                  .receive_counts = chunk.send_counts,
                  .receive_begins = chunk.send_begins});
    });
  }

  /// Where a chunk's results are put by source. Those that are received are no longer needed.
  [[nodiscard]] std::span<T> results(const ExpertChunk& chunk) {
    const std::span<T> all = stay_here(trip_.groups) ? trip_.returned : trip_.exchanged;
    return all.subspan(static_cast<std::size_t>(chunk.first_row * trip_.d_model),
                       static_cast<std::size_t>(chunk.num_rows * trip_.d_model));
  }

 private:
  [[nodiscard]] std::size_t row_bytes() const {
    return static_cast<std::size_t>(trip_.d_model) * sizeof(T);
  }
  void all_to_all(const RowExchange& exchange) {
    trip_.groups.experts->all_to_all(exchange);
    times_.all_to_all_bytes += bytes_to_others(*trip_.groups.experts, exchange);
  }

  const ExpertTrip<T>& trip_;
  const TripWork<T>& work_;
  ExchangeTimes& times_;
};

}  // namespace

template <class T>
void run_trip(const ExpertTrip<T>& trip, const TripWork<T>& work, LocalFault& fault,
              PhaseTimes& times) {
  ExchangeTimes exchanged;
  TripExchanges<T> exchanges{trip, work, exchanged};
  const bool is_alone = stay_here(trip.groups) && trip.groups.tensor->num_ranks() == 1;
  ExchangeQueue queue{trip.chunks.size() > 1 && !is_alone ? ExchangeQueue::Runs::kBeside
                                                          : ExchangeQueue::Runs::kAtOnce};
  std::vector<std::int64_t> arrivals;
  const ExchangePhases& phases = trip.phases;
  add_time(times[phases.wait], [&] {
    for (const ExpertChunk& chunk : trip.chunks)
      arrivals.push_back(queue.submit([&exchanges, &chunk] { exchanges.to_experts(chunk); }));
  });
  for (std::size_t c = 0; c < trip.chunks.size(); ++c) {
    const ExpertChunk& chunk = trip.chunks[c];
    add_time(times[phases.wait], [&] { queue.wait(arrivals[c]); });
    std::span<const T> rows = exchanges.results(chunk);
    if (stay_here(trip.groups))
      rows =
          trip.rows.subspan(static_cast<std::size_t>(chunk.first_row * trip.d_model), rows.size());
    else
      add_time(times[phases.sort], [&] {
        fault.guard(
            [&] { work.reorder(c, rows.data(), RowOrder::kByExpert, trip.sorted[c].data()); });
        rows = trip.sorted[c];
      });
    std::span<const T> results;
    add_time(times[phases.compute], [&] { fault.guard([&] { results = work.experts(c, rows); }); });
    add_time(times[phases.sort], [&] {
      fault.guard([&] {
        work.reorder(c, results.data(), RowOrder::kBySource, exchanges.results(chunk).data());
      });
    });
    add_time(times[phases.wait],
             [&] { queue.submit([&exchanges, &chunk] { exchanges.from_experts(chunk); }); });
  }
  add_time(times[phases.wait], [&] { queue.finish(); });
  times[phases.to_experts] += exchanged.to_experts;
  times[phases.tensor_all_reduce] += exchanged.tensor_all_reduce;
  times[phases.from_experts] += exchanged.from_experts;
  times.all_to_all_bytes += exchanged.all_to_all_bytes;
  times.tensor_all_reduce_bytes += exchanged.tensor_all_reduce_bytes;
}

template void run_trip(const ExpertTrip<float>&, const TripWork<float>&, LocalFault&, PhaseTimes&);
template void run_trip(const ExpertTrip<BFloat16>&, const TripWork<BFloat16>&, LocalFault&,
                       PhaseTimes&);

}  // namespace switchyard::kernels
