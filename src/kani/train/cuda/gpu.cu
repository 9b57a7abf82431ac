// gpu.cu - the table of the kernels that the other *.cu make.
#include "kani/train/cuda/launch.cuh"
#include "kani/train/cuda/table.cuh"

namespace kani::train::cuda {

extern template void norm_forward<Gpu>(const NormForward&, Number, Stream);
extern template void norm_backward<Gpu>(const NormBackward&, Number, Stream);
extern template void rope_forward<Gpu>(const RopeForward&, Number, Stream);
extern template void rope_backward<Gpu>(const RopeBackward&, Number, Stream);
extern template void swiglu_forward<Gpu>(const SwigluForward&, Number, Stream);
extern template void swiglu_backward<Gpu>(const SwigluBackward&, Number, Stream);
extern template void conv_forward<Gpu>(const ConvForward&, Number, Stream);
extern template void conv_backward<Gpu>(const ConvBackward&, Number, Stream);
extern template void classify<Gpu>(const Classify&, Number, Stream);
extern template void attention_forward<Gpu>(const AttentionForward&, Number, Stream);
extern template void attention_backward<Gpu>(const AttentionBackward&, Number, Stream);
extern template void adamw<Gpu>(const Adamw&, Stream);
extern template void square_sums<Gpu>(const SquareSums&, Stream);

const Kernels& gpu_kernels() {
  static constexpr Kernels kTable = kernel_table<Gpu>();
  return kTable;
}

}  // namespace kani::train::cuda
