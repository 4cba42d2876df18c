#include "kernels/cuda/cuda_rank.hpp"
#include "kernels/ranks/rank_backward.inc"
#include "kernels/ranks/rank_forward.inc"

namespace switchyard::kernels {

using CudaRankLayer = BasicRankLayer<CudaBackend>;
template <class T>
using CudaState = BasicRankState<CudaBackend, T>;
template <class T>
using CudaScratch = BasicRankScratch<CudaBackend, T>;

template void rank_layer_forward<float>(const CudaRankLayer&, const StepContext&,
                                        const DeviceMoeWeights<float>&, std::span<const float>,
                                        std::span<float>, CudaState<float>&, PhaseTimes&);
template void rank_layer_forward<BFloat16>(const CudaRankLayer&, const StepContext&,
                                           const DeviceMoeWeights<BFloat16>&,
                                           std::span<const BFloat16>, std::span<BFloat16>,
                                           CudaState<BFloat16>&, PhaseTimes&);
template void rank_layer_backward<float>(const CudaRankLayer&, const StepContext&,
                                         const DeviceMoeWeights<float>&, std::span<const float>,
                                         CudaState<float>&, std::span<const float>,
                                         CudaScratch<float>&, std::span<float>, DeviceMoeGradients&,
                                         PhaseTimes&);
template void rank_layer_backward<BFloat16>(const CudaRankLayer&, const StepContext&,
                                            const DeviceMoeWeights<BFloat16>&,
                                            std::span<const BFloat16>, CudaState<BFloat16>&,
                                            std::span<const BFloat16>, CudaScratch<BFloat16>&,
                                            std::span<BFloat16>, DeviceMoeGradients&, PhaseTimes&);
template void all_reduce_gradients(const RankGroups&, DeviceMoeGradients&,
                                   DeviceReduceScratch<float>&, PhaseTimes&);

}  // namespace switchyard::kernels
