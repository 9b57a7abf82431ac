// update.cu - see update.cuh: compiled for GPUs.
#include "kani/train/cuda/launch.cuh"
#include "kani/train/cuda/update.cuh"

namespace kani::train::cuda {

template void adamw<Gpu>(const Adamw&, Stream);
template void square_sums<Gpu>(const SquareSums&, Stream);

}  // namespace kani::train::cuda
