// rope.cu - see rope.cuh: compiled for GPUs.
#include "kani/train/cuda/launch.cuh"
#include "kani/train/cuda/rope.cuh"

namespace kani::train::cuda {

template void rope_forward<Gpu>(const RopeForward&, Number, Stream);
template void rope_backward<Gpu>(const RopeBackward&, Number, Stream);

}  // namespace kani::train::cuda
