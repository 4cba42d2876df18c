#include "kernels/ranks/rank_forward.inc"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/ranks/cpu_rank.hpp"

namespace switchyard::kernels {

template void rank_layer_forward<float>(const RankLayer&, const StepContext&,
                                        const MoeWeights<float>&, std::span<const float>,
                                        std::span<float>, RankLayerState<float>&, PhaseTimes&);
template void rank_layer_forward<BFloat16>(const RankLayer&, const StepContext&,
                                           const MoeWeights<BFloat16>&, std::span<const BFloat16>,
                                           std::span<BFloat16>, RankLayerState<BFloat16>&,
                                           PhaseTimes&);

}  // namespace switchyard::kernels
