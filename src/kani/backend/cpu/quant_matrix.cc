// quant_matrix.cc - see quant_matrix.h.
#include "kani/backend/cpu/quant_matrix.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <vector>

#include "kani/base/numbers.h"
#include "kani/quant/layout.h"

namespace kani::cpu {
QuantTable quant_table([[maybe_unused]] Isa limit) {
  QuantTable table = kQuantScalar;
  [[maybe_unused]] const auto overlay = [&table](const QuantTable& better) {
    if (better.gemm_q8 != nullptr) table.gemm_q8 = better.gemm_q8;
    if (better.gemm_q4 != nullptr) table.gemm_q4 = better.gemm_q4;
    if (better.quantize != nullptr) table.quantize = better.quantize;
    if (better.quantize_row_q8 != nullptr) table.quantize_row_q8 = better.quantize_row_q8;
    if (better.quantize_row_q4 != nullptr) table.quantize_row_q4 = better.quantize_row_q4;
  };
#if defined(__x86_64__)
  if (isa_allows(limit, Isa::kAvx2)) overlay(kQuantAvx2);
  if (isa_allows(limit, Isa::kAvx512Vnni)) overlay(kQuantAvx512Vnni);
#elif defined(__aarch64__)
  if (isa_allows(limit, Isa::kNeon)) overlay(kQuantNeon);
  if (isa_allows(limit, Isa::kNeonDot)) overlay(kQuantNeonDot);
#endif
  return table;
}

// What a thread needs to quantize a row.
struct QuantMatrix::Scratch {
  explicit Scratch(size_t blocks)
      : row(blocks * kQuantBlock), q(blocks * kQuantBlock), groups(blocks * 2) {}
  Buffer<float> row;
  Buffer<int8_t> q, groups;
};

QuantMatrix::QuantMatrix(std::span<const MatrixPart> parts, size_t cols, MatrixType type,
                         const QuantTable& table, WeightArena& arena, ThreadPool& pool)
    : cols_(cols), blocks_(quant_blocks(cols)), q4_(type == MatrixType::kQ4) {
  for (const MatrixPart& part : parts) rows_ += part.rows;
  const size_t bytes = row_blocks() * row_block_bytes();
  owned_ = arena.take(bytes);
  layout_ = std::as_bytes(std::span(owned_.get(), bytes));
  const auto threads = static_cast<size_t>(pool.size());
  std::vector<Scratch> scratch;
  for (size_t i = 0; i < threads; ++i) scratch.emplace_back(blocks_);
  pool.run([&](int thread) {
    const auto self = static_cast<size_t>(thread);
    for (size_t index = self; index < row_blocks(); index += threads)
      fill_rows(index, parts, table, scratch[self]);
  });
}

QuantMatrix::QuantMatrix(std::span<const std::byte> bytes, size_t rows, size_t cols,
                         MatrixType type)
    : rows_(rows),
      cols_(cols),
      blocks_(quant_blocks(cols)),
      q4_(type == MatrixType::kQ4),
      layout_(bytes) {
  assert(bytes.size() == row_blocks() * row_block_bytes());
}

void QuantMatrix::fill_rows(size_t index, std::span<const MatrixPart> parts,
                            const QuantTable& table, Scratch& scratch) {
  uint8_t* out = owned_.get() + index * row_block_bytes();
  size_t first = 0;  // row of the matrix where the part begins
  for (const MatrixPart& part : parts) {
    const size_t width = dtype_size(part.dtype), begin = index * kQuantRows;
    for (size_t r = 0; r < kQuantRows; ++r) {
      if (begin + r < first || begin + r >= first + part.rows) continue;
      to_f32(part.dtype, part.bytes.subspan((begin + r - first) * cols_ * width, cols_ * width),
             scratch.row.span().first(cols_));
      const auto quantize = q4_ ? table.quantize_row_q4 : table.quantize_row_q8;
      const float scale =
          quantize(scratch.row.data(), blocks_ * 2, scratch.groups.data(), scratch.q.data());
      put_quant_row(scale, {scratch.groups.span(), scratch.q.span()}, r, q4_, out);
    }
    first += part.rows;
  }
}

void QuantActivations::fill(ConstMatrix x, bool fine, const QuantTable& table, ThreadPool& pool) {
  blocks_ = quant_blocks(x.cols());
  fine_ = fine;
  const size_t blocks = x.rows() * blocks_;
  if (scales_.size() < blocks) {
    high_ = Buffer<int8_t>(blocks * kQuantBlock);
    low_ = Buffer<int8_t>(blocks * kQuantBlock);
    scales_ = Buffer<float>(blocks);
    sums_ = Buffer<int32_t>(blocks * 2);
  }
  if (x.rows() < 4) {  // a fork costs more
    for (size_t t = 0; t < x.rows(); ++t) table.quantize(x.row(t), x.cols(), input(t));
    return;
  }
  pool.parallel_for(x.rows(), 1, [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; ++t) table.quantize(x.row(t), x.cols(), input(t));
  });
}

QuantInput QuantActivations::input(size_t token) {
  const size_t first = token * blocks_;
  return {high_.data() + first * kQuantBlock, fine_ ? low_.data() + first * kQuantBlock : nullptr,
          scales_.data() + first, sums_.data() + first * 2};
}

QuantArgs QuantActivations::args(size_t first_token, size_t tokens) {
  QuantArgs a{};
  a.x = input(first_token);
  a.tokens = tokens;
  a.blocks = blocks_;
  return a;
}

}  // namespace kani::cpu
