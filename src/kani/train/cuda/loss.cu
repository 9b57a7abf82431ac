// loss.cu - see loss.cuh: compiled for GPUs.
#include "kani/train/cuda/launch.cuh"
#include "kani/train/cuda/loss.cuh"

namespace kani::train::cuda {

template void classify<Gpu>(const Classify&, Number, Stream);

}  // namespace kani::train::cuda
