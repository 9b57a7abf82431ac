// block_matrix.h - matrices in blocks of 64 rows as the kernels of the language model read them:
// float32, bf16, and bf16 in 12 bits without loss.  Not here: 8 and 4 bits (quant_matrix.h), the
// products (language_ops_cpu.cc).
#pragma once

#include <vector>

#include "kani/backend/cpu/cpu_features.h"
#include "kani/backend/cpu/kernels/bf12_kernels.h"
#include "kani/backend/cpu/kernels/language_kernels.h"
#include "kani/backend/language_ops.h"
#include "kani/base/buffer.h"
#include "kani/base/thread_pool.h"

namespace kani::cpu {

/// [blocks][K][64] of float or [blocks][ceil(K/2)][64][2] of bf16; see GemmArgs.
class BlockMatrix final : public MatrixWeight {
 public:
  /// The parts one below the other, rounded to `type`.  Throws Error(kOutOfMemory).
  BlockMatrix(std::span<const MatrixPart> parts, size_t cols, MatrixType type, ThreadPool& pool);

  size_t rows() const override { return rows_; }
  size_t cols() const override { return cols_; }
  size_t bytes() const override { return data_.size(); }
  size_t blocks() const { return (rows_ + kBlockRows - 1) / kBlockRows; }
  MatrixType type() const override { return type_; }
  const void* block(size_t b) const { return data_.data() + b * block_bytes_; }

 private:
  size_t rows_ = 0;
  size_t cols_;
  MatrixType type_;
  size_t block_bytes_;
  Buffer<std::byte> data_;
};

/// [blocks][ceil(K/2)] of kBf12PairBytes, and for each block a short list of rare weights.
class Bf12Matrix final : public MatrixWeight {
 public:
  /// The parts one below the other, rounded to bf16; null if more than 1 of 256 weights of some
  /// block have no code, as happens where sizes are spread over many powers of two.  Throws
  /// Error(kOutOfMemory).
  static std::unique_ptr<Bf12Matrix> pack(std::span<const MatrixPart> parts, size_t cols,
                                          const Bf12Table& table, ThreadPool& pool);

  size_t rows() const override { return rows_; }
  size_t cols() const override { return cols_; }
  size_t bytes() const override;
  MatrixType type() const override { return MatrixType::kBF16; }
  size_t blocks() const { return (rows_ + kBlockRows - 1) / kBlockRows; }
  size_t pairs() const { return (cols_ + 1) / 2; }
  Bf12Block block(size_t b) const {
    return {data_.data() + b * pairs() * kBf12PairBytes, pairs(), lowest_[b]};
  }
  std::span<const RareWeight> rare(size_t b) const;

 private:
  Bf12Matrix() = default;
  void gather_rare(std::span<const RareWeight> rare, size_t room, std::span<const size_t> counts);

  size_t rows_ = 0;
  size_t cols_ = 0;
  std::vector<uint8_t> lowest_;
  Buffer<RareWeight> rare_;       // of all blocks, one after the other
  std::vector<size_t> rare_end_;  // by block
  Buffer<uint8_t> data_;
};

/// The table for `limit`: the scalar one overlaid with every level that `limit` allows.
Bf12Table bf12_table(Isa limit);

}  // namespace kani::cpu
