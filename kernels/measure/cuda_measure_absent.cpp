// What a build without CUDA has in place of kernels/measure/cuda.
#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/measure_backend.hpp"

namespace switchyard::kernels {

std::unique_ptr<MeasureBackend> make_cuda_measure(const MeasurePlan& /*plan*/,
                                                  Communicator* /*world*/) {
  throw KernelError{
      Fault::kDevice,
      "--backend cuda: this build has no CUDA; on a node with a GPU and CUDA 13 build the kernels "
      "with it (cmake -S kernels -B build -DSWITCHYARD_CUDA=ON), run \"switchyard-kernels measure "
      "--backend cuda --out points.csv\" there, and give points.csv to switchyard calibrate "
      "--points"};
}

}  // namespace switchyard::kernels
