// block_matrix.cc - see block_matrix.h.
#include "kani/backend/cpu/block_matrix.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "kani/base/numbers.h"

namespace kani::cpu {
namespace {

constexpr size_t kRareShare = 256;  // at most 1 of so many weights has no code

using RowPointers = const std::byte* [kBlockRows];  // null: not in this part, or padding

size_t padded_cols(size_t cols, MatrixType type) {
  return type == MatrixType::kBF16 ? (cols + 1) / 2 * 2 : cols;
}

// The common case at load: a transposition of 32-bit pairs in tiles of 16 x 16, which stay in the
// first cache.
void fill_bf16_from_bf16(const RowPointers& rows, size_t cols, uint32_t* out) {
  constexpr size_t kTile = 16;
  const size_t pairs = cols / 2;
  for (size_t p0 = 0; p0 < pairs; p0 += kTile) {
    const size_t p1 = std::min(p0 + kTile, pairs);
    for (size_t r0 = 0; r0 < kBlockRows; r0 += kTile) {
      for (size_t r = r0; r < r0 + kTile; ++r) {
        if (rows[r] == nullptr) continue;
        for (size_t p = p0; p < p1; ++p) {
          std::memcpy(out + p * kBlockRows + r, rows[r] + p * 4, 4);
        }
      }
    }
  }
  if (cols % 2 == 0) return;
  for (size_t r = 0; r < kBlockRows; ++r) {
    if (rows[r] == nullptr) continue;
    uint16_t last = 0;
    std::memcpy(&last, rows[r] + (cols - 1) * 2, 2);
    out[pairs * kBlockRows + r] = last;
  }
}

// put(r, k, value) for every number of the rows.
template <typename Put>
void for_numbers(const RowPointers& rows, size_t cols, DType from, Put put) {
  constexpr size_t kRun = 64;
  float run[kRun];
  const size_t width = dtype_size(from);
  for (size_t k0 = 0; k0 < cols; k0 += kRun) {
    const size_t count = std::min(kRun, cols - k0);
    for (size_t r = 0; r < kBlockRows; ++r) {
      if (rows[r] == nullptr) continue;
      to_f32(from, {rows[r] + k0 * width, count * width}, {run, count});
      for (size_t k = 0; k < count; ++k) put(r, k0 + k, run[k]);
    }
  }
}

void fill_rows(const RowPointers& rows, size_t cols, DType from, MatrixType type, std::byte* out) {
  if (type == MatrixType::kBF16 && from == DType::kBF16)
    return fill_bf16_from_bf16(rows, cols, reinterpret_cast<uint32_t*>(out));
  if (type == MatrixType::kBF16) {
    auto* to = reinterpret_cast<uint16_t*>(out);
    return for_numbers(rows, cols, from, [to](size_t r, size_t k, float value) {
      to[(k / 2 * kBlockRows + r) * 2 + k % 2] = f32_to_bf16(value);
    });
  }
  auto* to = reinterpret_cast<float*>(out);
  for_numbers(rows, cols, from,
              [to](size_t r, size_t k, float value) { to[k * kBlockRows + r] = value; });
}

// Block b of the stacked parts into `out`, which is zero before.  A block may span parts of
// different types: it is filled once per part that has rows in it.
void fill_block(std::span<const MatrixPart> parts, size_t b, size_t cols, MatrixType type,
                std::byte* out) {
  size_t first = 0;
  for (const MatrixPart& part : parts) {
    RowPointers pointers = {};
    bool any = false;
    for (size_t r = 0; r < kBlockRows; ++r) {
      const size_t row = b * kBlockRows + r;
      if (row < first || row >= first + part.rows) continue;
      pointers[r] = part.bytes.data() + (row - first) * cols * dtype_size(part.dtype);
      any = true;
    }
    if (any) fill_rows(pointers, cols, part.dtype, type, out);
    first += part.rows;
  }
}

size_t total_rows(std::span<const MatrixPart> parts) {
  size_t rows = 0;
  for (const MatrixPart& part : parts) rows += part.rows;
  return rows;
}

}  // namespace

BlockMatrix::BlockMatrix(std::span<const MatrixPart> parts, size_t cols, MatrixType type,
                         ThreadPool& pool)
    : rows_(total_rows(parts)),
      cols_(cols),
      type_(type),
      block_bytes_(padded_cols(cols, type) * kBlockRows * (type == MatrixType::kBF16 ? 2 : 4)),
      data_(blocks() * block_bytes_) {
  pool.parallel_for(blocks(), 1, [&](size_t begin, size_t end) {
    for (size_t b = begin; b < end; ++b)
      fill_block(parts, b, cols_, type_, data_.data() + b * block_bytes_);
  });
}

std::unique_ptr<Bf12Matrix> Bf12Matrix::pack(std::span<const MatrixPart> parts, size_t cols,
                                             const Bf12Table& table, ThreadPool& pool) {
  std::unique_ptr<Bf12Matrix> matrix(new Bf12Matrix);
  matrix->rows_ = total_rows(parts);
  matrix->cols_ = cols;
  matrix->lowest_.resize(matrix->blocks());
  matrix->data_ = Buffer<uint8_t>(matrix->blocks() * matrix->pairs() * kBf12PairBytes);
  const auto threads = static_cast<size_t>(pool.size());
  const size_t numbers = matrix->pairs() * 2 * kBlockRows, room = numbers / kRareShare;
  std::vector<Buffer<uint16_t>> plain;
  for (size_t i = 0; i < threads; ++i) plain.emplace_back(numbers);
  Buffer<RareWeight> rare(matrix->blocks() * room);
  std::vector<size_t> counts(matrix->blocks());
  std::atomic<bool> fits{true};
  pool.run([&](int index) {
    const auto self = static_cast<size_t>(index);
    uint16_t* block = plain[self].data();
    for (size_t b = self; b < matrix->blocks() && fits.load(std::memory_order_relaxed);
         b += threads) {
      // In whole blocks every number is written; others are filled up with zeros.
      if ((b + 1) * kBlockRows > matrix->rows_ || cols % 2 != 0)
        std::fill_n(block, numbers, uint16_t{0});
      fill_block(parts, b, cols, MatrixType::kBF16, reinterpret_cast<std::byte*>(block));
      const int top = table.largest_exponent(block, numbers);
      const auto lowest = static_cast<uint8_t>(std::max(1, top - 14));
      counts[b] = table.pack(block, matrix->pairs(), lowest,
                             matrix->data_.data() + b * matrix->pairs() * kBf12PairBytes,
                             rare.data() + b * room, room);
      matrix->lowest_[b] = lowest;
      if (counts[b] > room) fits.store(false, std::memory_order_relaxed);
    }
  });
  if (!fits) return nullptr;
  matrix->gather_rare(rare.span(), room, counts);
  return matrix;
}

void Bf12Matrix::gather_rare(std::span<const RareWeight> rare, size_t room,
                             std::span<const size_t> counts) {
  rare_end_.reserve(counts.size());
  size_t total = 0;
  for (const size_t count : counts) rare_end_.push_back(total += count);
  rare_ = Buffer<RareWeight>(total);
  for (size_t b = 0; b < counts.size(); ++b)
    std::copy_n(rare.data() + b * room, counts[b], rare_.data() + rare_end_[b] - counts[b]);
}

std::span<const RareWeight> Bf12Matrix::rare(size_t b) const {
  const size_t begin = b == 0 ? 0 : rare_end_[b - 1];
  return rare_.span().subspan(begin, rare_end_[b] - begin);
}

size_t Bf12Matrix::bytes() const {
  return data_.size() + lowest_.size() + rare_.size() * sizeof(RareWeight) +
         rare_end_.size() * sizeof(size_t);
}

Bf12Table bf12_table(Isa limit) {
  Bf12Table table = kBf12Scalar;
#if defined(__x86_64__)
  if (isa_allows(limit, Isa::kAvx2)) table = kBf12Avx2;
  if (isa_allows(limit, Isa::kAvx512)) table = kBf12Avx512;
#elif defined(__aarch64__)
  if (isa_allows(limit, Isa::kNeon)) table = kBf12Neon;
#endif
  return table;
}

}  // namespace kani::cpu
