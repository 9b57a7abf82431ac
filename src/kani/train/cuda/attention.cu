// attention.cu - see attention.cuh: compiled for GPUs.
#include "kani/train/cuda/attention.cuh"
#include "kani/train/cuda/launch.cuh"

namespace kani::train::cuda {

template void attention_forward<Gpu>(const AttentionForward&, Number, Stream);
template void attention_backward<Gpu>(const AttentionBackward&, Number, Stream);

}  // namespace kani::train::cuda
