// encoder_ops.h - the operations that an accelerator offers to speaker/: what a transformer over
// the frames of a whole recording needs, where every frame sees every other one. Legend: T rows
// (frames), K inputs, N outputs, H heads, D head width. Common rules: activations are float32,
// row-major views in the accelerator's memory; sums are float32 or wider; shapes are asserted; T =
// 0 does nothing; outputs do not overlap inputs unless said; whatever needs room for intermediates
// may throw Error(kOutOfMemory), before it has written anything; nothing else fails.  Every output
// is summed in one order that depends neither on T nor on the number of threads.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "kani/backend/signal_ops.h"
#include "kani/base/numbers.h"
#include "kani/base/view.h"

namespace kani {

/// A matrix [N, K] as it lies in a file: row-major, little endian, any alignment, host memory.
struct FileMatrix {
  DType dtype = DType::kF32;  // kF32, kBF16 or kF16
  std::span<const std::byte> bytes;
  size_t rows = 0;  // N
  size_t cols = 0;  // K
};

/// How products are made.  kFixed16: both factors as whole numbers of 13 bits with a scale for
/// every 128 of them, exact sums within these; as fine as float16.  A voice takes 0.63 of float32's
/// time where the processor has the instruction; kF32 is used where it has not.
enum class ProductPrecision { kF32, kFixed16 };

/// Rows that may overlap: row t is the `cols` floats from data + t * step on.  A convolution along
/// time over [time][channel] is a matrix product with such rows.
struct Windows {
  const float* data = nullptr;
  size_t rows = 0;
  size_t cols = 0;
  size_t step = 0;

  Windows() = default;
  Windows(ConstMatrix x)  // NOLINT: implicit on purpose
      : data(x.data()), rows(x.rows()), cols(x.cols()), step(x.stride()) {}
  Windows(const float* first, size_t count, size_t width, size_t distance)
      : data(first), rows(count), cols(width), step(distance) {}
};

/// A matrix in the layout that the accelerator reads best; see EncoderOps::pack.
class PackedMatrix {
 public:
  virtual ~PackedMatrix() = default;
  virtual size_t rows() const = 0;
  virtual size_t cols() const = 0;
  virtual size_t bytes() const = 0;
};

/// What becomes of a product v [T, N]:
///   kStore: y = v + bias    kGelu: y = gelu(v + bias)    kAdd: y += v + bias
///   kGeluAdd: y += gelu(v + bias)            gelu(x) = x/2 (1 + erf(x / sqrt 2)), the exact one
enum class ProductEnd { kStore, kGelu, kAdd, kGeluAdd };

class EncoderOps {
 public:
  virtual ~EncoderOps() = default;

  virtual std::unique_ptr<SignalMemory> allocate(size_t floats) = 0;
  virtual void upload(ConstMatrix host, Matrix to) = 0;
  virtual void download(ConstMatrix from, Matrix host) = 0;
  /// Within the accelerator's memory.
  virtual void copy(ConstMatrix from, Matrix to) = 0;
  /// The best distance of rows of `cols` numbers, at least cols.
  virtual size_t row_stride(size_t cols) const = 0;

  /// For a matrix that is used many times in a row.
  virtual std::unique_ptr<PackedMatrix> pack(const FileMatrix& w, ProductPrecision precision) = 0;

  /// v[t,n] = sum_k x[t,k] w[n,k]       x [T, K]   bias [N] in host memory, or empty   y [T, N]
  virtual void product(const Windows& x, const PackedMatrix& w, std::span<const float> bias,
                       ProductEnd end, Matrix y) = 0;
  /// The same with a matrix that is used once: nothing of it stays in memory.
  virtual void product(const Windows& x, const FileMatrix& w, ProductPrecision precision,
                       std::span<const float> bias, ProductEnd end, Matrix y) = 0;

  /// y[t,c] = (x[t,c] - mean_t) / sqrt(var_t + eps) * w[c] + b[c], then GELU if asked for; mean and
  /// population variance over c.  w, b [C] in host memory; y may be x.           Ba et al. 2016
  virtual void layer_norm(ConstMatrix x, std::span<const float> w, std::span<const float> b,
                          float eps, bool gelu, Matrix y) = 0;

  /// Attention of all frames to all frames with a bias that depends on their distance and is gated
  /// by the query (WavLM; speaker.md 7):
  ///   score[h,i,j] = q[i,h] . k[j,h] / sqrt(D) + gate[i,h] * bias[h, j - i + T - 1]
  ///   y[i,h] = sum_j softmax_j(score[h,i,j]) v[j,h]
  /// q, k, v, y [T, H*D]; gate [T, H] and bias [H, 2T - 1] in host memory.  Nothing of size T x T
  /// is kept.
  virtual void biased_attention(ConstMatrix q, ConstMatrix k, ConstMatrix v, size_t heads,
                                ConstMatrix gate, ConstMatrix bias, Matrix y) = 0;

  /// WavLM's gate of n [T, H*D], per head h with the slice n_h of D numbers (speaker.md 7):
  ///   a = sigmoid(wa . n_h + ba), b = sigmoid(wb . n_h + bb), gate[t,h] = a * (b * c[h] - 1) + 2
  /// wa, wb [D], c [H] and gate [T, H] in host memory.
  struct GateWeights {
    std::span<const float> wa, wb;
    float ba = 0;
    float bb = 0;
    std::span<const float> c;
  };
  virtual void gate(ConstMatrix n, const GateWeights& w, Matrix gate) = 0;
};

}  // namespace kani
