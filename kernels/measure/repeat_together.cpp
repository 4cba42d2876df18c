#include "kernels/measure/repeat_together.hpp"

#include <cstdint>

#include "kernels/comm/gather.hpp"

namespace switchyard::kernels {

void repeat_together(Communicator& ranks, const std::function<Sample()>& take,
                     const std::function<bool(double seconds)>& goes_on) {
  for (std::int64_t more = 1; more != 0;) {
    const double seconds = take()[1];
    if (ranks.rank() == 0) more = goes_on(seconds) ? 1 : 0;
    if (ranks.num_ranks() > 1) more = gathered<std::int64_t>(ranks, {&more, 1}).front();
  }
}

}  // namespace switchyard::kernels
