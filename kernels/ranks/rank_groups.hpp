#pragma once

#include <memory>

#include "kernels/comm/communicator.hpp"
#include "kernels/ranks/partition.hpp"

namespace switchyard::kernels {

/// A rank's communicators, each of the ranks that differ in one place only.
struct RankGroups {
  RankPartition partition;
  RankPlace place;
  Communicator* all = nullptr;             ///< not owned
  std::unique_ptr<Communicator> experts;   ///< (expert): the parts of one replica
  std::unique_ptr<Communicator> tensor;    ///< (tensor): the shares of d_ff
  std::unique_ptr<Communicator> data;      ///< (data): all tokens
  std::unique_ptr<Communicator> replicas;  ///< (data / expert): the holders of the same experts
};

/// Precondition: the partition is valid for the number of ranks.
[[nodiscard]] RankGroups make_groups(const RankPartition& partition, Communicator& all);

}  // namespace switchyard::kernels
