// quant_matrix.h - a matrix of 8 or 4 bits in the layout of the kernels, and its products.
#pragma once

#include "kani/backend/cpu/cpu_features.h"
#include "kani/backend/cpu/kernels/quant_kernels.h"
#include "kani/backend/language_ops.h"
#include "kani/base/buffer.h"
#include "kani/base/thread_pool.h"

namespace kani::cpu {

/// The table for `limit`: the scalar one overlaid with every level that `limit` allows.
QuantTable quant_table(Isa limit);

/// [row blocks of 64][K / 32] of kQ8Bytes or kQ4Bytes.  K is filled up to whole blocks with zeros.
class QuantMatrix final : public MatrixWeight {
 public:
  /// Quantizes the parts, one below the other.  Throws Error(kOutOfMemory).
  QuantMatrix(std::span<const MatrixPart> parts, size_t cols, MatrixType type,
              const QuantTable& table, ThreadPool& pool);

  size_t rows() const override { return rows_; }
  size_t cols() const override { return cols_; }
  size_t bytes() const override { return data_.size(); }
  size_t row_blocks() const { return (rows_ + kQuantRows - 1) / kQuantRows; }
  size_t blocks() const { return blocks_; }
  bool is_q4() const { return q4_; }
  const uint8_t* row_block(size_t index) const {
    return data_.data() + index * blocks_ * block_bytes();
  }

 private:
  size_t block_bytes() const { return q4_ ? kQ4Bytes : kQ8Bytes; }
  void fill_rows(size_t index, std::span<const MatrixPart> parts, const QuantTable& table,
                 std::span<float> row);

  size_t rows_ = 0;
  size_t cols_;
  size_t blocks_;
  bool q4_;
  Buffer<uint8_t> data_;
};

/// Activations in whole numbers, made once per product and shared by the threads.
class QuantActivations {
 public:
  void fill(ConstMatrix x, const QuantTable& table, ThreadPool& pool);
  QuantArgs args(size_t first_token, size_t tokens) const;

 private:
  size_t blocks_ = 0;
  Buffer<int8_t> numbers_;
  Buffer<float> scales_;
  Buffer<int32_t> sums_;
};

}  // namespace kani::cpu
