#include "kernels/ranks/rank_groups.hpp"

namespace switchyard::kernels {

RankGroups make_groups(const RankPartition& partition, Communicator& all) {
  const RankPlace place = place_of(partition, all.rank());
  return {.partition = partition,
          .place = place,
          .all = &all,
          .experts = all.split(place.replica * partition.tensor + place.tensor),
          .tensor = all.split(place.data),
          .data = all.split(place.tensor),
          .replicas = all.split(place.expert * partition.tensor + place.tensor)};
}

}  // namespace switchyard::kernels
