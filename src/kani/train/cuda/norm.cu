// norm.cu - see norm.cuh: compiled for GPUs.
#include "kani/train/cuda/launch.cuh"
#include "kani/train/cuda/norm.cuh"

namespace kani::train::cuda {

template void norm_forward<Gpu>(const NormForward&, Number, Stream);
template void norm_backward<Gpu>(const NormBackward&, Number, Stream);

}  // namespace kani::train::cuda
