// mix.cu - see mix.cuh: compiled for GPUs.
#include "kani/train/cuda/launch.cuh"
#include "kani/train/cuda/mix.cuh"

namespace kani::train::cuda {

template void swiglu_forward<Gpu>(const SwigluForward&, Number, Stream);
template void swiglu_backward<Gpu>(const SwigluBackward&, Number, Stream);
template void conv_forward<Gpu>(const ConvForward&, Number, Stream);
template void conv_backward<Gpu>(const ConvBackward&, Number, Stream);

}  // namespace kani::train::cuda
