// language_ops_cpu.cc - see language_ops_cpu.h.
// Matrices are cut into blocks of 64 rows; a thread computes whole blocks, so every output is made
// by one thread in one order and results do not depend on the number of threads.
#include "kani/backend/cpu/language_ops_cpu.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include "kani/backend/cpu/block_matrix.h"
#include "kani/backend/cpu/kernels/language_kernels.h"
#include "kani/backend/cpu/quant_matrix.h"
#include "kani/base/buffer.h"
#include "kani/base/error.h"

namespace kani::cpu {
namespace {

constexpr size_t kKeyBlock = 16;  // elements per block of keys, as the attend kernels read them

size_t divide_up(size_t a, size_t b) { return (a + b - 1) / b; }

void overlay(LanguageTable& table, const LanguageTable& better) {
  const auto take = [](auto& slot, auto candidate) {
    if (candidate != nullptr) slot = candidate;
  };
  take(table.gemm_f32, better.gemm_f32);
  take(table.gemm_bf16, better.gemm_bf16);
  take(table.rms_norm, better.rms_norm);
  take(table.silu_mul, better.silu_mul);
  take(table.norm_rope, better.norm_rope);
  take(table.conv_step, better.conv_step);
  take(table.attend, better.attend);
}

// Per kv head: keys [capacity/16][D][16], values [capacity][D].
class CpuKvCache final : public KvCache {
 public:
  CpuKvCache(const AttentionShape& shape, size_t capacity)
      : capacity_(divide_up(std::max<size_t>(capacity, 1), kKeyBlock) * kKeyBlock),
        head_floats_(capacity_ * shape.head_dim),
        keys_(head_floats_ * shape.kv_heads),
        values_(head_floats_ * shape.kv_heads) {}

  size_t capacity() const override { return capacity_; }
  size_t bytes() const override { return (keys_.size() + values_.size()) * sizeof(float); }

  float* keys(size_t kv_head) { return keys_.data() + kv_head * head_floats_; }
  float* values(size_t kv_head) { return values_.data() + kv_head * head_floats_; }
  const float* keys(size_t kv_head) const { return keys_.data() + kv_head * head_floats_; }
  const float* values(size_t kv_head) const { return values_.data() + kv_head * head_floats_; }

  void put(const AttentionShape& shape, size_t index, const float* k, const float* v) {
    for (size_t g = 0; g < shape.kv_heads; ++g) {
      float* key = keys(g) + index / kKeyBlock * shape.head_dim * kKeyBlock + index % kKeyBlock;
      for (size_t d = 0; d < shape.head_dim; ++d) key[d * kKeyBlock] = k[g * shape.head_dim + d];
      std::memcpy(values(g) + index * shape.head_dim, v + g * shape.head_dim,
                  shape.head_dim * sizeof(float));
    }
  }

 private:
  size_t capacity_;
  size_t head_floats_;
  Buffer<float> keys_;
  Buffer<float> values_;
};

class CpuLanguageOps final : public LanguageOps {
 public:
  CpuLanguageOps(ThreadPool& pool, Isa limit)
      : pool_(pool),
        table_(language_table(limit)),
        bf12_(bf12_table(limit)),
        quant_(quant_table(limit)) {}

  std::unique_ptr<MatrixWeight> pack(std::span<const MatrixPart> parts, size_t cols,
                                     MatrixType type) override;
  std::unique_ptr<MatrixWeight> adopt(std::span<const std::byte> layout, size_t rows, size_t cols,
                                      MatrixType type) override {
    return std::make_unique<QuantMatrix>(layout, rows, cols, type);
  }
  void matmul(ConstMatrix x, const MatrixWeight& w, Matrix y) override { multiply(x, w, y, false); }
  void matmul_add(ConstMatrix x, const MatrixWeight& w, Matrix y) override {
    multiply(x, w, y, true);
  }
  void rms_norm(ConstMatrix x, std::span<const float> w, float eps, Matrix y) override;
  void silu_mul(ConstMatrix gate, ConstMatrix up, Matrix y) override;
  void norm_rope(Matrix x, std::span<const float> w, float eps, ConstMatrix cos,
                 ConstMatrix sin) override;
  void short_conv(ConstMatrix bcx, ConstMatrix taps, std::span<const float> bias, Matrix state,
                  Matrix y) override;
  std::unique_ptr<KvCache> make_kv_cache(const AttentionShape& shape, size_t capacity) override;
  void attention(ConstMatrix q, ConstMatrix k, ConstMatrix v, const AttentionShape& shape,
                 size_t first, KvCache& cache, Matrix y) override;
  void read_kv(const KvCache& cache, const AttentionShape& shape, size_t index,
               std::span<float> key, std::span<float> value) const override;

 private:
  void multiply(ConstMatrix x, const MatrixWeight& w, Matrix y, bool add);
  void multiply_bf12(ConstMatrix x, const Bf12Matrix& w, Matrix y, bool add);
  void multiply_quantized(ConstMatrix x, const QuantMatrix& w, Matrix y, bool add);

  ThreadPool& pool_;
  const size_t ahead_ = weights_ahead();
  LanguageTable table_;
  Bf12Table bf12_;
  QuantTable quant_;
  WeightArena arena_;
  QuantActivations activations_;
  Buffer<uint16_t> expanded_;  // per thread, a block of bf16
  Buffer<float> scores_;       // per thread, for attend
  Buffer<float> conv_window_;  // history and new vectors g of short_conv
};

std::unique_ptr<MatrixWeight> CpuLanguageOps::pack(std::span<const MatrixPart> parts, size_t cols,
                                                   MatrixType type) {
  for ([[maybe_unused]] const MatrixPart& part : parts)
    assert(part.bytes.size() == part.rows * cols * dtype_size(part.dtype));
  if (type == MatrixType::kQ8 || type == MatrixType::kQ4)
    return std::make_unique<QuantMatrix>(parts, cols, type, quant_, arena_, pool_);
  if (type == MatrixType::kBF16) {
    if (auto packed = Bf12Matrix::pack(parts, cols, bf12_, pool_)) return packed;
  }
  return std::make_unique<BlockMatrix>(parts, cols, type, pool_);
}

void CpuLanguageOps::multiply(ConstMatrix x, const MatrixWeight& w, Matrix y, bool add) {
  if (const auto* quantized = dynamic_cast<const QuantMatrix*>(&w))
    return multiply_quantized(x, *quantized, y, add);
  if (const auto* packed = dynamic_cast<const Bf12Matrix*>(&w))
    return multiply_bf12(x, *packed, y, add);
  const auto& matrix = static_cast<const BlockMatrix&>(w);
  assert(x.cols() == matrix.cols() && y.cols() == matrix.rows() && x.rows() == y.rows());
  if (x.rows() == 0) return;
  const auto kernel = matrix.type() == MatrixType::kBF16 ? table_.gemm_bf16 : table_.gemm_f32;
  pool_.parallel_for(matrix.blocks(), 1, [&](size_t begin, size_t end) {
    for (size_t b = begin; b < end; ++b) {
      const size_t row = b * kBlockRows;
      kernel({.x = x.data(),
              .ldx = x.stride(),
              .tokens = x.rows(),
              .cols = matrix.cols(),
              .w = matrix.block(b),
              .y = y.data() + row,
              .ldy = y.stride(),
              .rows = std::min(kBlockRows, matrix.rows() - row),
              .add = add});
    }
  });
}

// A few vectors read the codes as they lie, in turns; many share a block that is expanded for them.
// Either way the rare weights come last, so that the sums are the same.
void CpuLanguageOps::multiply_bf12(ConstMatrix x, const Bf12Matrix& w, Matrix y, bool add) {
  assert(x.cols() == w.cols() && y.cols() == w.rows() && x.rows() == y.rows());
  if (x.rows() == 0) return;
  constexpr size_t kMostTurns = 4;
  const size_t turns = bf12_.tokens == 0 ? 0 : divide_up(x.rows(), bf12_.tokens);
  const bool direct = turns == 1 || (bf12_.tokens > 1 && turns <= kMostTurns);
  const size_t turn = direct ? divide_up(x.rows(), turns) : 0;
  const size_t numbers = w.pairs() * 2 * kBlockRows, threads = static_cast<size_t>(pool_.size());
  if (!direct && expanded_.size() < numbers * threads)
    expanded_ = Buffer<uint16_t>(numbers * threads);
  pool_.run([&](int index) {
    const auto self = static_cast<size_t>(index);
    uint16_t* plain = direct ? nullptr : expanded_.data() + self * (expanded_.size() / threads);
    const size_t end = w.blocks() * (self + 1) / threads;
    for (size_t b = w.blocks() * self / threads; b < end; ++b) {
      const size_t row = b * kBlockRows, rows = std::min(kBlockRows, w.rows() - row);
      const Bf12Block block = w.block(b);
      for (size_t t = 0; direct && t < x.rows(); t += turn) {
        bf12_.gemm({.block = block,
                    .x = x.row(t),
                    .ldx = x.stride(),
                    .tokens = std::min(turn, x.rows() - t),
                    .cols = w.cols(),
                    .y = y.row(t) + row,
                    .ldy = y.stride(),
                    .rows = rows,
                    .add = add,
                    .ahead = ahead_});
      }
      if (!direct) {
        bf12_.expand(block, plain);
        table_.gemm_bf16({.x = x.data(),
                          .ldx = x.stride(),
                          .tokens = x.rows(),
                          .cols = w.cols(),
                          .w = plain,
                          .y = y.data() + row,
                          .ldy = y.stride(),
                          .rows = rows,
                          .add = add});
      }
      for (const RareWeight& rare : w.rare(b)) {
        for (size_t t = 0; t < x.rows(); ++t)
          y.at(t, row + rare.row) += rare.value * x.at(t, rare.column);
      }
    }
  });
}

void CpuLanguageOps::multiply_quantized(ConstMatrix x, const QuantMatrix& w, Matrix y, bool add) {
  assert(x.cols() == w.cols() && y.cols() == w.rows() && x.rows() == y.rows());
  if (x.rows() == 0) return;
  activations_.fill(x, /*fine=*/!w.is_q4(), quant_, pool_);
  const auto kernel = w.is_q4() ? quant_.gemm_q4 : quant_.gemm_q8;
  pool_.parallel_for(w.row_blocks(), 1, [&](size_t begin, size_t end) {
    for (size_t b = begin; b < end; ++b) {
      const size_t row = b * kQuantRows;
      for (size_t t = 0; t < x.rows(); t += kQuantTokens) {
        QuantArgs args = activations_.args(t, std::min(kQuantTokens, x.rows() - t));
        args.w = w.row_block(b);
        args.y = y.row(t) + row;
        args.ldy = y.stride();
        args.rows = std::min(kQuantRows, w.rows() - row);
        args.add = add;
        args.ahead = ahead_;
        kernel(args);
      }
    }
  });
}

void CpuLanguageOps::rms_norm(ConstMatrix x, std::span<const float> w, float eps, Matrix y) {
  assert(w.size() == x.cols() && x.cols() == y.cols() && x.rows() == y.rows());
  pool_.parallel_for(x.rows(), 8, [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; ++t)
      table_.rms_norm(x.row(t), w.data(), eps, x.cols(), y.row(t));
  });
}

void CpuLanguageOps::silu_mul(ConstMatrix gate, ConstMatrix up, Matrix y) {
  assert(gate.cols() == up.cols() && up.cols() == y.cols() && gate.rows() == y.rows());
  pool_.parallel_for(gate.rows(), 2, [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; ++t)
      table_.silu_mul(gate.row(t), up.row(t), gate.cols(), y.row(t));
  });
}

void CpuLanguageOps::norm_rope(Matrix x, std::span<const float> w, float eps, ConstMatrix cos,
                               ConstMatrix sin) {
  const size_t head_dim = w.size();
  assert(head_dim % 2 == 0 && x.cols() % head_dim == 0 && cos.cols() == head_dim / 2);
  pool_.parallel_for(x.rows(), 8, [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; ++t) {
      for (size_t c = 0; c < x.cols(); c += head_dim) {
        table_.norm_rope(x.row(t) + c, w.data(), eps, cos.row(t), sin.row(t), head_dim);
      }
    }
  });
}

void CpuLanguageOps::short_conv(ConstMatrix bcx, ConstMatrix taps, std::span<const float> bias,
                                Matrix state, Matrix y) {
  constexpr size_t kMaxTaps = 64;
  const size_t width = y.cols(), past = state.rows(), count = bcx.rows();
  assert(bcx.cols() == 3 * width && taps.rows() == past + 1 && taps.cols() == width);
  assert(taps.stride() == width && past < kMaxTaps && (bias.empty() || bias.size() == width));
  if (count == 0) return;
  if (conv_window_.size() < (past + count) * width)
    conv_window_ = Buffer<float>((past + count) * width);
  float* window = conv_window_.data();
  for (size_t j = 0; j < past; ++j)
    std::memcpy(window + j * width, state.row(j), width * sizeof(float));
  const float* history[kMaxTaps];
  for (size_t t = 0; t < count; ++t) {
    for (size_t j = 0; j < past; ++j) history[j] = window + (t + j) * width;
    const float* row = bcx.row(t);
    table_.conv_step(row, row + width, row + 2 * width, taps.data(), past + 1,
                     bias.empty() ? nullptr : bias.data(), history, width,
                     window + (t + past) * width, y.row(t));
  }
  for (size_t j = 0; j < past; ++j) {
    std::memcpy(state.row(j), window + (count + j) * width, width * sizeof(float));
  }
}

std::unique_ptr<KvCache> CpuLanguageOps::make_kv_cache(const AttentionShape& shape,
                                                       size_t capacity) {
  auto cache = std::make_unique<CpuKvCache>(shape, capacity);
  const size_t scores =
      shape.heads / shape.kv_heads * cache->capacity() * static_cast<size_t>(pool_.size());
  if (scores_.size() < scores) scores_ = Buffer<float>(scores);
  return cache;
}

void CpuLanguageOps::attention(ConstMatrix q, ConstMatrix k, ConstMatrix v,
                               const AttentionShape& shape, size_t first, KvCache& cache,
                               Matrix y) {
  auto& store = static_cast<CpuKvCache&>(cache);
  const size_t group = shape.heads / shape.kv_heads, width = shape.head_dim;
  assert(first + q.rows() <= store.capacity() && q.cols() == shape.heads * width);
  for (size_t t = 0; t < k.rows(); ++t) store.put(shape, first + t, k.row(t), v.row(t));
  const float scale = 1.0F / std::sqrt(static_cast<float>(width));
  const size_t tasks = q.rows() * shape.kv_heads;
  // Below some thousand multiplications a fork costs more than it saves.
  const bool small = q.rows() * shape.heads * width * (first + q.rows()) < 65536;
  const size_t per_thread = scores_.size() / static_cast<size_t>(pool_.size());
  const auto work = [&](size_t begin, size_t end, float* scratch) {
    for (size_t task = begin; task < end; ++task) {
      const size_t t = task / shape.kv_heads, g = task % shape.kv_heads;
      table_.attend({.q = q.row(t) + g * group * width,
                     .group = group,
                     .head_dim = width,
                     .keys = store.keys(g),
                     .values = store.values(g),
                     .value_stride = width,
                     .elements = first + t + 1,
                     .scale = scale,
                     .scores = scratch,
                     .y = y.row(t) + g * group * width});
    }
  };
  if (small || pool_.size() == 1) return work(0, tasks, scores_.data());
  // Later elements see more: deal the tasks out in turn, so that every thread gets short and long
  // ones.
  const auto threads = static_cast<size_t>(pool_.size());
  pool_.run([&](int index) {
    const auto self = static_cast<size_t>(index);
    float* scratch = scores_.data() + self * per_thread;
    for (size_t task = self; task < tasks; task += threads) work(task, task + 1, scratch);
  });
}

void CpuLanguageOps::read_kv(const KvCache& cache, const AttentionShape& shape, size_t index,
                             std::span<float> key, std::span<float> value) const {
  const auto& store = static_cast<const CpuKvCache&>(cache);
  for (size_t g = 0; g < shape.kv_heads; ++g) {
    const float* from =
        store.keys(g) + index / kKeyBlock * shape.head_dim * kKeyBlock + index % kKeyBlock;
    for (size_t d = 0; d < shape.head_dim; ++d) key[g * shape.head_dim + d] = from[d * kKeyBlock];
    std::memcpy(value.data() + g * shape.head_dim, store.values(g) + index * shape.head_dim,
                shape.head_dim * sizeof(float));
  }
}

}  // namespace

LanguageTable language_table(Isa limit) {
  LanguageTable table = kLanguageScalar;
#if defined(__x86_64__)
  if (isa_allows(limit, Isa::kAvx2)) overlay(table, kLanguageAvx2);
  if (isa_allows(limit, Isa::kAvx512)) overlay(table, kLanguageAvx512);
#elif defined(__aarch64__)
  if (isa_allows(limit, Isa::kNeon)) overlay(table, kLanguageNeon);
#endif
  return table;
}

std::unique_ptr<LanguageOps> make_language_ops(ThreadPool& pool, Isa limit) {
  return std::make_unique<CpuLanguageOps>(pool, limit);
}

}  // namespace kani::cpu
