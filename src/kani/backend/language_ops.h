// language_ops.h - the operations that an accelerator offers to lm/ (and later speaker/).
// Legend: T rows (tokens, of one or several sequences), K inputs, N outputs, H heads, G kv heads, D
// head width, S elements in a key/value cache.  All activations are float32, row-major views; sums
// are float32 or wider. Common rules: shapes are asserted; T = 0 does nothing; outputs do not
// overlap inputs unless said; nothing fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "kani/base/numbers.h"
#include "kani/base/view.h"

namespace kani {

/// How a matrix is kept.  kQ8 and kQ4: quant/blocks.h; activations are rounded before the product,
/// in blocks of 32, to 15 bits for kQ8 and to 8 for kQ4.
enum class MatrixType { kF32, kBF16, kQ8, kQ4 };

/// A matrix [N, K] in the layout that its backend reads best.  Immutable, shareable between
/// threads.
class MatrixWeight {
 public:
  virtual ~MatrixWeight() = default;
  virtual size_t rows() const = 0;  // N
  virtual size_t cols() const = 0;  // K
  virtual size_t bytes() const = 0;
  virtual MatrixType type() const = 0;
  /// The bytes of a kQ8 or kQ4 matrix (quant/layout.h); empty for other types.
  virtual std::span<const std::byte> layout() const { return {}; }
};

/// Rows of a matrix as they lie in a file: row-major, little endian, any alignment.
struct MatrixPart {
  DType dtype = DType::kF32;  // kF32, kBF16 or kF16
  std::span<const std::byte> bytes;
  size_t rows = 0;
};

/// Keys and values of one attention layer of one sequence.  Opaque layout, grown by the backend.
class KvCache {
 public:
  virtual ~KvCache() = default;
  virtual size_t capacity() const = 0;  // elements
  virtual size_t bytes() const = 0;
};

struct AttentionShape {
  size_t heads = 0;
  size_t kv_heads = 0;
  size_t head_dim = 0;
};

class LanguageOps {
 public:
  virtual ~LanguageOps() = default;

  /// The parts one below the other as one matrix of `cols` columns.  Rounds to `type` (bf16:
  /// nearest even; exact where the file holds bf16).  Throws Error(kOutOfMemory).
  virtual std::unique_ptr<MatrixWeight> pack(std::span<const MatrixPart> parts, size_t cols,
                                             MatrixType type) = 0;

  /// A kQ8 or kQ4 matrix from the layout() of another (quant/layout.h), used in place: `layout`
  /// must outlive the result and hold exactly quant_bytes().
  virtual std::unique_ptr<MatrixWeight> adopt(std::span<const std::byte> layout, size_t rows,
                                              size_t cols, MatrixType type) = 0;

  /// y[t,n] = sum_k x[t,k] w[n,k]                       x [T, K]   y [T, N]
  /// Each sum runs over k in increasing order whatever T is, so a row's result does not depend on
  /// its neighbours.
  virtual void matmul(ConstMatrix x, const MatrixWeight& w, Matrix y) = 0;
  /// y[t,n] += sum_k x[t,k] w[n,k]
  virtual void matmul_add(ConstMatrix x, const MatrixWeight& w, Matrix y) = 0;

  /// y[t,c] = x[t,c] / sqrt(mean over c of x[t,c]^2 + eps) * w[c]      x, y [T, C] (y may be x)
  /// Zhang & Sennrich 2019; upstream Lfm2RMSNorm.
  virtual void rms_norm(ConstMatrix x, std::span<const float> w, float eps, Matrix y) = 0;

  /// y[t,f] = silu(gate[t,f]) * up[t,f],  silu(z) = z / (1 + exp(-z))  y may be gate or up
  virtual void silu_mul(ConstMatrix gate, ConstMatrix up, Matrix y) = 0;

  /// Norm over each head, then rotation in the half-split form (language-model.md 6, 7.3), in
  /// place. x [T, heads * D]; w [D]; angles: cos and sin [T, D/2].
  virtual void norm_rope(Matrix x, std::span<const float> w, float eps, ConstMatrix cos,
                         ConstMatrix sin) = 0;

  /// The gated short convolution between its two projections (language-model.md 7.5):
  ///   g_t = b_t * x_t;  y_t[c] = sum_j taps[j,c] g_{t-(L-1)+j}[c] + bias[c];  y_t = c_t * y_t
  /// bcx [T, 3C] holds b, c, x side by side; taps [L, C] (transposed from the file's [C, 1, L]);
  /// bias [C] or empty; state [L-1, C]: the last L-1 vectors g before this call, oldest first;
  /// updated.  y [T, C].
  virtual void short_conv(ConstMatrix bcx, ConstMatrix taps, std::span<const float> bias,
                          Matrix state, Matrix y) = 0;

  virtual std::unique_ptr<KvCache> make_kv_cache(const AttentionShape& shape, size_t capacity) = 0;

  /// Writes keys and values of elements [first, first + T) into the cache and attends causally by
  /// index: element first + t sees 0 … first + t.  q [T, H*D]; k, v [T, G*D]; query head j uses kv
  /// head j / (H/G); scores q.k / sqrt(D), softmax in float32.  y [T, H*D].  first + T <= capacity.
  virtual void attention(ConstMatrix q, ConstMatrix k, ConstMatrix v, const AttentionShape& shape,
                         size_t first, KvCache& cache, Matrix y) = 0;

  /// For tests and `--layers`: keys (values) of element `index` as they lie in the cache, [G*D].
  virtual void read_kv(const KvCache& cache, const AttentionShape& shape, size_t index,
                       std::span<float> key, std::span<float> value) const = 0;
};

}  // namespace kani
