// quant_matrix.cc - see quant_matrix.h.
#include "kani/backend/cpu/quant_matrix.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <vector>

#include "kani/base/numbers.h"
#include "kani/quant/blocks.h"

namespace kani::cpu {
namespace {

// Row r's numbers of one block into the block's bytes.
void put(const QuantBlock& block, size_t r, bool q4, uint8_t* bytes) {
  const uint16_t scale = f32_to_f16(block.scale);
  std::memcpy(bytes + r * 2, &scale, sizeof scale);
  uint8_t* data = bytes + kScaleBytes;
  if (q4) {
    for (size_t k = 0; k < 16; ++k) {
      const int low = block.q[k] + 8, high = block.q[k + 16] + 8;
      data[(k / 4 * kQuantRows + r) * 4 + k % 4] = static_cast<uint8_t>(low | high << 4);
    }
  } else {
    for (size_t k = 0; k < 32; k += 4)
      std::memcpy(data + (k / 4 * kQuantRows + r) * 4, block.q + k, 4);
  }
}

}  // namespace

QuantTable quant_table(Isa limit) {
  QuantTable table = kQuantScalar;
  [[maybe_unused]] const auto overlay = [&table](const QuantTable& better) {
    if (better.gemm_q8 != nullptr) table.gemm_q8 = better.gemm_q8;
    if (better.gemm_q4 != nullptr) table.gemm_q4 = better.gemm_q4;
    if (better.quantize != nullptr) table.quantize = better.quantize;
    if (better.scale_q4 != nullptr) table.scale_q4 = better.scale_q4;
  };
#if defined(__x86_64__)
  if (isa_allows(limit, Isa::kAvx2)) overlay(kQuantAvx2);
  if (isa_allows(limit, Isa::kAvx512Vnni)) overlay(kQuantAvx512Vnni);
#endif
  return table;
}

QuantMatrix::QuantMatrix(std::span<const MatrixPart> parts, size_t cols, MatrixType type,
                         const QuantTable& table, ThreadPool& pool)
    : cols_(cols), blocks_((cols + kQuantBlock - 1) / kQuantBlock), q4_(type == MatrixType::kQ4) {
  for (const MatrixPart& part : parts) rows_ += part.rows;
  data_ = Buffer<uint8_t>(row_blocks() * blocks_ * block_bytes());
  const auto threads = static_cast<size_t>(pool.size());
  std::vector<Buffer<float>> rows;
  for (size_t i = 0; i < threads; ++i) rows.emplace_back(blocks_ * kQuantBlock);
  pool.run([&](int thread) {
    const auto self = static_cast<size_t>(thread);
    for (size_t index = self; index < row_blocks(); index += threads)
      fill_rows(index, parts, table, rows[self].span());
  });
}

void QuantMatrix::fill_rows(size_t index, std::span<const MatrixPart> parts,
                            const QuantTable& table, std::span<float> row) {
  uint8_t* out = data_.data() + index * blocks_ * block_bytes();
  size_t first = 0;  // row of the matrix where the part begins
  for (const MatrixPart& part : parts) {
    const size_t width = dtype_size(part.dtype), begin = index * kQuantRows;
    for (size_t r = 0; r < kQuantRows; ++r) {
      if (begin + r < first || begin + r >= first + part.rows) continue;
      to_f32(part.dtype, part.bytes.subspan((begin + r - first) * cols_ * width, cols_ * width),
             row.first(cols_));
      for (size_t b = 0; b < blocks_; ++b) {
        const std::span<const float> w = row.subspan(b * kQuantBlock, kQuantBlock);
        put(q4_ ? with_scale_q4(w, table.scale_q4(w.data())) : quantize_q8(w), r, q4_,
            out + b * block_bytes());
      }
    }
    first += part.rows;
  }
}

void QuantActivations::fill(ConstMatrix x, const QuantTable& table, ThreadPool& pool) {
  blocks_ = (x.cols() + kQuantBlock - 1) / kQuantBlock;
  const size_t blocks = x.rows() * blocks_;
  if (scales_.size() < blocks) {
    numbers_ = Buffer<int8_t>(blocks * kQuantBlock);
    scales_ = Buffer<float>(blocks);
    sums_ = Buffer<int32_t>(blocks);
  }
  const auto fill_row = [&](size_t t) {
    table.quantize(x.row(t), x.cols(), numbers_.data() + t * blocks_ * kQuantBlock,
                   scales_.data() + t * blocks_, sums_.data() + t * blocks_);
  };
  if (x.rows() < 4) {  // a fork costs more
    for (size_t t = 0; t < x.rows(); ++t) fill_row(t);
    return;
  }
  pool.parallel_for(x.rows(), 1, [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; ++t) fill_row(t);
  });
}

QuantArgs QuantActivations::args(size_t first_token, size_t tokens) const {
  QuantArgs a{};
  a.x = numbers_.data() + first_token * blocks_ * kQuantBlock;
  a.x_scale = scales_.data() + first_token * blocks_;
  a.x_sum = sums_.data() + first_token * blocks_;
  a.tokens = tokens;
  a.blocks = blocks_;
  return a;
}

}  // namespace kani::cpu
