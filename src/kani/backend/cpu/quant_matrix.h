// quant_matrix.h - a matrix of 8 or 4 bits in the layout of the kernels, and its products.
#pragma once

#include "kani/backend/cpu/cpu_features.h"
#include "kani/backend/cpu/kernels/quant_kernels.h"
#include "kani/backend/cpu/weight_arena.h"
#include "kani/backend/language_ops.h"
#include "kani/base/buffer.h"
#include "kani/base/thread_pool.h"

namespace kani::cpu {

/// The table for `limit`: the scalar one overlaid with every level that `limit` allows.
QuantTable quant_table(Isa limit);

/// In the layout of quant/layout.h.
class QuantMatrix final : public MatrixWeight {
 public:
  /// Quantizes the parts, one below the other.  Throws Error(kOutOfMemory).
  QuantMatrix(std::span<const MatrixPart> parts, size_t cols, MatrixType type,
              const QuantTable& table, WeightArena& arena, ThreadPool& pool);
  /// Uses what another has written (layout()), in place: `bytes` must outlive this.
  QuantMatrix(std::span<const std::byte> bytes, size_t rows, size_t cols, MatrixType type);

  size_t rows() const override { return rows_; }
  size_t cols() const override { return cols_; }
  size_t bytes() const override { return layout_.size(); }
  MatrixType type() const override { return q4_ ? MatrixType::kQ4 : MatrixType::kQ8; }
  std::span<const std::byte> layout() const override { return layout_; }

  size_t row_blocks() const { return quant_row_blocks(rows_); }
  size_t blocks() const { return blocks_; }
  bool is_q4() const { return q4_; }
  const uint8_t* row_block(size_t index) const {
    return reinterpret_cast<const uint8_t*>(layout_.data()) + index * row_block_bytes();
  }

 private:
  size_t block_bytes() const { return q4_ ? kQ4Bytes : kQ8Bytes; }
  size_t row_block_bytes() const { return kRowScaleBytes + blocks_ * block_bytes(); }
  struct Scratch;
  void fill_rows(size_t index, std::span<const MatrixPart> parts, const QuantTable& table,
                 Scratch& scratch);

  size_t rows_ = 0;
  size_t cols_;
  size_t blocks_;
  bool q4_;
  std::shared_ptr<uint8_t> owned_;
  std::span<const std::byte> layout_;
};

/// Activations in whole numbers, made once per product and shared by the threads.
class QuantActivations {
 public:
  /// `fine`: 15 bits instead of 8.
  void fill(ConstMatrix x, bool fine, const QuantTable& table, ThreadPool& pool);
  QuantArgs args(size_t first_token, size_t tokens);

 private:
  QuantInput input(size_t token);

  size_t blocks_ = 0;
  bool fine_ = false;
  Buffer<int8_t> high_, low_;
  Buffer<float> scales_;
  Buffer<int32_t> sums_;
};

}  // namespace kani::cpu
