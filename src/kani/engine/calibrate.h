// calibrate.h - 4 bits with regard to what goes into each matrix: the model speaks, and while its
// own speech runs through the layers each matrix is rounded so that its products change least
// (quant/error_feedback.h), those before it being rounded already.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "kani/backend/language_ops.h"
#include "kani/base/buffer.h"
#include "kani/base/thread_pool.h"
#include "kani/lm/generator.h"
#include "kani/tokens/tokenizer.h"

namespace kani {

/// Passes everything on to another backend; what goes into the first product with a kQ4 matrix
/// decides how it is rounded.  Matrices with a width that is no multiple of 32 are rounded as at
/// load.
class CalibratingOps final : public LanguageOps {
 public:
  /// Both must outlive this.
  CalibratingOps(LanguageOps& ops, ThreadPool& pool) : ops_(ops), pool_(pool) {}

  std::unique_ptr<MatrixWeight> pack(std::span<const MatrixPart> parts, size_t cols,
                                     MatrixType type) override;
  std::unique_ptr<MatrixWeight> adopt(std::span<const std::byte> layout, size_t rows, size_t cols,
                                      MatrixType type) override {
    return ops_.adopt(layout, rows, cols, type);
  }
  void matmul(ConstMatrix x, const MatrixWeight& w, Matrix y) override;
  void matmul_add(ConstMatrix x, const MatrixWeight& w, Matrix y) override;
  void rms_norm(ConstMatrix x, std::span<const float> w, float eps, Matrix y) override {
    ops_.rms_norm(x, w, eps, y);
  }
  void silu_mul(ConstMatrix gate, ConstMatrix up, Matrix y) override { ops_.silu_mul(gate, up, y); }
  void norm_rope(Matrix x, std::span<const float> w, float eps, ConstMatrix cos,
                 ConstMatrix sin) override {
    ops_.norm_rope(x, w, eps, cos, sin);
  }
  void short_conv(ConstMatrix bcx, ConstMatrix taps, std::span<const float> bias, Matrix state,
                  Matrix y) override {
    ops_.short_conv(bcx, taps, bias, state, y);
  }
  std::unique_ptr<KvCache> make_kv_cache(const AttentionShape& shape, size_t capacity) override {
    return ops_.make_kv_cache(shape, capacity);
  }
  void attention(ConstMatrix q, ConstMatrix k, ConstMatrix v, const AttentionShape& shape,
                 size_t first, KvCache& cache, Matrix y) override {
    ops_.attention(q, k, v, shape, first, cache, y);
  }
  void read_kv(const KvCache& cache, const AttentionShape& shape, size_t index,
               std::span<float> key, std::span<float> value) const override {
    ops_.read_kv(cache, shape, index, key, value);
  }

 private:
  class Pending;
  void multiply(ConstMatrix x, const MatrixWeight& w, Matrix y, bool add);
  void decide(Pending& matrix, ConstMatrix x);

  LanguageOps& ops_;
  ThreadPool& pool_;
};

/// An utterance of a model: prompt and codes.
struct OwnSpeech {
  std::vector<Element> elements;
  std::vector<float> voice;
};
struct Speaker {
  Lfm2& lm;
  const Tokenizer& tokenizer;
  Sampling sampling;
  std::vector<float> voice;
};
/// Everyday sentences in the speaker's words, at least `elements` in all; the same each time.
std::vector<OwnSpeech> own_speech(const Speaker& speaker, size_t elements);

/// Runs `speech` through a model that was made on CalibratingOps, with room for all of it in a
/// block.
void calibrate(Lfm2& lm, std::span<const OwnSpeech> speech);

}  // namespace kani
