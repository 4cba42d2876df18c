#include "kernels/ranks/rank_backward.inc"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/ranks/cpu_rank.hpp"

namespace switchyard::kernels {

template void rank_layer_backward<float>(const RankLayer&, const StepContext&,
                                         const MoeWeights<float>&, std::span<const float>,
                                         RankLayerState<float>&, std::span<const float>,
                                         RankBackwardScratch<float>&, std::span<float>,
                                         MoeGradients&, PhaseTimes&);
template void rank_layer_backward<BFloat16>(const RankLayer&, const StepContext&,
                                            const MoeWeights<BFloat16>&, std::span<const BFloat16>,
                                            RankLayerState<BFloat16>&, std::span<const BFloat16>,
                                            RankBackwardScratch<BFloat16>&, std::span<BFloat16>,
                                            MoeGradients&, PhaseTimes&);
template void all_reduce_gradients(const RankGroups&, MoeGradients&, ReduceScratch<float>&,
                                   PhaseTimes&);

}  // namespace switchyard::kernels
