// calibrate.cc - see calibrate.h.  Legend: T inputs, K columns, N rows of a matrix.
#include "kani/engine/calibrate.h"

#include <algorithm>
#include <cassert>

#include "kani/quant/error_feedback.h"
#include "kani/quant/layout.h"

namespace kani {
namespace {

// Columns whose errors are spread over each other: the work grows with the cube.
constexpr size_t kMostColumns = 1536;

std::unique_ptr<MatrixWeight> pack_f32(LanguageOps& ops, const std::vector<float>& w, size_t rows,
                                       size_t cols) {
  const MatrixPart part{DType::kF32, std::as_bytes(std::span(w)), rows};
  return ops.pack({&part, 1}, cols, MatrixType::kF32);
}

// Columns [first, first + count) as rows.
std::vector<float> transposed(ConstMatrix x, size_t first, size_t count) {
  std::vector<float> out(count * x.rows());
  for (size_t t = 0; t < x.rows(); ++t) {
    for (size_t k = 0; k < count; ++k) out[k * x.rows() + t] = x.at(t, first + k);
  }
  return out;
}

}  // namespace

// Its weights until it is decided, then what they were rounded to.
class CalibratingOps::Pending final : public MatrixWeight {
 public:
  Pending(std::vector<float> weights, size_t rows, size_t cols)
      : rows_(rows), cols_(cols), weights_(std::move(weights)) {}

  size_t rows() const override { return rows_; }
  size_t cols() const override { return cols_; }
  size_t bytes() const override { return layout_.size(); }
  MatrixType type() const override { return MatrixType::kQ4; }
  std::span<const std::byte> layout() const override { return std::as_bytes(layout_.span()); }

  const MatrixWeight* rounded() const { return rounded_.get(); }
  std::vector<float> take_weights() { return std::move(weights_); }
  // `layout` as quant/layout.h has it.
  void decide(Buffer<uint8_t> layout, LanguageOps& ops) {
    layout_ = std::move(layout);
    rounded_ = ops.adopt(this->layout(), rows_, cols_, type());
  }

 private:
  size_t rows_;
  size_t cols_;
  std::vector<float> weights_;  // [N, K]
  Buffer<uint8_t> layout_;
  std::unique_ptr<MatrixWeight> rounded_;
};

std::unique_ptr<MatrixWeight> CalibratingOps::pack(std::span<const MatrixPart> parts, size_t cols,
                                                   MatrixType type) {
  const bool whole = cols % kQuantBlock == 0;
  if (type != MatrixType::kQ4 || !whole) return ops_.pack(parts, cols, type);
  std::vector<float> weights;
  for (const MatrixPart& part : parts) {
    const size_t at = weights.size();
    weights.resize(at + part.rows * cols);
    to_f32(part.dtype, part.bytes, std::span(weights).subspan(at));
  }
  const size_t rows = weights.size() / cols;
  return std::make_unique<Pending>(std::move(weights), rows, cols);
}

void CalibratingOps::matmul(ConstMatrix x, const MatrixWeight& w, Matrix y) {
  multiply(x, w, y, false);
}
void CalibratingOps::matmul_add(ConstMatrix x, const MatrixWeight& w, Matrix y) {
  multiply(x, w, y, true);
}

void CalibratingOps::multiply(ConstMatrix x, const MatrixWeight& w, Matrix y, bool add) {
  const MatrixWeight* by = &w;
  if (auto* pending = dynamic_cast<Pending*>(const_cast<MatrixWeight*>(&w))) {
    if (pending->rounded() == nullptr) decide(*pending, x);
    by = pending->rounded();
  }
  add ? ops_.matmul_add(x, *by, y) : ops_.matmul(x, *by, y);
}

void CalibratingOps::decide(Pending& matrix, ConstMatrix x) {
  const size_t rows = matrix.rows(), cols = matrix.cols();
  std::vector<float> weights = matrix.take_weights();
  const size_t pieces = (cols + kMostColumns - 1) / kMostColumns;
  const size_t width = (cols / kQuantBlock + pieces - 1) / pieces * kQuantBlock;
  std::vector<int8_t> groups(rows * cols / kQuantGroup), q(rows * cols);
  std::vector<float> scales(rows);
  for (size_t first = 0; first < cols; first += width) {
    const size_t count = std::min(width, cols - first);
    const std::vector<float> inputs = transposed(x, first, count);  // [count, T]
    const auto packed = pack_f32(ops_, inputs, count, x.rows());
    std::vector<float> products(count * count);
    ops_.matmul(ConstMatrix(inputs.data(), count, x.rows()), *packed,
                Matrix(products.data(), count, count));
    const ErrorFeedback feedback(products, count);
    pool_.parallel_for(rows, 1, [&](size_t begin, size_t end) {
      for (size_t r = begin; r < end; ++r) {
        const std::span<float> row = std::span(weights).subspan(r * cols, cols);
        if (first == 0) scales[r] = row_scale_q4(row);
        feedback.round_q4(
            row.subspan(first, count), scales[r],
            {std::span(groups).subspan((r * cols + first) / kQuantGroup, count / kQuantGroup),
             std::span(q).subspan(r * cols + first, count)});
      }
    });
  }
  Buffer<uint8_t> layout(quant_bytes(rows, cols, /*q4=*/true).value());
  const size_t row_block = kRowScaleBytes + quant_blocks(cols) * kQ4Bytes;
  for (size_t r = 0; r < rows; ++r) {
    const QuantRow row{std::span(groups).subspan(r * cols / kQuantGroup, cols / kQuantGroup),
                       std::span(q).subspan(r * cols, cols)};
    put_quant_row(scales[r], row, r % kQuantRows, /*q4=*/true,
                  layout.data() + r / kQuantRows * row_block);
  }
  matrix.decide(std::move(layout), ops_);
}

}  // namespace kani
