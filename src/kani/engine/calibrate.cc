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
// Share of the earlier matrices' errors that a matrix makes up for.  All of it fits the calibration
// speech too closely (mini model, mean KL: 0 0.0711, half 0.0569 …; see lm/quant_policy.h).
constexpr float kCorrection = 0.5F;

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

// Exact until it is decided, then both.
class CalibratingOps::Pending final : public MatrixWeight {
 public:
  Pending(std::unique_ptr<MatrixWeight> exact, std::vector<float> weights)
      : exact_(std::move(exact)), weights_(std::move(weights)) {}

  size_t rows() const override { return exact_->rows(); }
  size_t cols() const override { return exact_->cols(); }
  size_t bytes() const override { return layout_.size(); }
  MatrixType type() const override { return MatrixType::kQ4; }
  std::span<const std::byte> layout() const override { return std::as_bytes(layout_.span()); }

  const MatrixWeight& exact() const { return *exact_; }
  const MatrixWeight* rounded() const { return rounded_.get(); }
  std::vector<float> take_weights() { return std::move(weights_); }
  // `layout` as quant/layout.h has it.
  void decide(Buffer<uint8_t> layout, LanguageOps& ops) {
    layout_ = std::move(layout);
    rounded_ = ops.adopt(this->layout(), rows(), cols(), type());
  }

 private:
  Buffer<uint8_t> layout_;
  std::unique_ptr<MatrixWeight> rounded_;
  std::unique_ptr<MatrixWeight> exact_;
  std::vector<float> weights_;  // [N, K]
};

std::unique_ptr<MatrixWeight> CalibratingOps::pack(std::span<const MatrixPart> parts, size_t cols,
                                                   MatrixType type) {
  const bool whole = cols % kQuantBlock == 0;
  if (type != MatrixType::kQ4 || !whole) return ops_.pack(parts, cols, type);
  std::vector<float> weights;
  bool all_bf16 = true;
  for (const MatrixPart& part : parts) {
    const size_t at = weights.size();
    weights.resize(at + part.rows * cols);
    to_f32(part.dtype, part.bytes, std::span(weights).subspan(at));
    all_bf16 &= part.dtype == DType::kBF16;
  }
  return std::make_unique<Pending>(
      ops_.pack(parts, cols, all_bf16 ? MatrixType::kBF16 : MatrixType::kF32),
      std::move(weights));
}

void CalibratingOps::matmul(ConstMatrix x, const MatrixWeight& w, Matrix y) {
  multiply(x, w, y, false);
}
void CalibratingOps::matmul_add(ConstMatrix x, const MatrixWeight& w, Matrix y) {
  multiply(x, w, y, true);
}

void CalibratingOps::multiply(ConstMatrix x, const MatrixWeight& w, Matrix y, bool add) {
  const auto product = [&](ConstMatrix from, const MatrixWeight& by, Matrix to) {
    add ? ops_.matmul_add(from, by, to) : ops_.matmul(from, by, to);
  };
  auto* pending = dynamic_cast<Pending*>(const_cast<MatrixWeight*>(&w));
  if (pending == nullptr) return product(x, w, y);
  const size_t half = x.rows() / 2;
  assert(x.rows() % 2 == 0);
  if (pending->rounded() == nullptr) decide(*pending, x.rows(0, half), x.rows(half, half));
  product(x.rows(0, half), pending->exact(), y.rows(0, half));
  product(x.rows(half, half), *pending->rounded(), y.rows(half, half));
}

void CalibratingOps::decide(Pending& matrix, ConstMatrix exact, ConstMatrix rounded) {
  const size_t rows = matrix.rows(), cols = matrix.cols();
  std::vector<float> weights = matrix.take_weights();
  const size_t pieces = (cols + kMostColumns - 1) / kMostColumns;
  const size_t width = (cols / kQuantBlock + pieces - 1) / pieces * kQuantBlock;
  std::vector<int8_t> groups(rows * cols / kQuantGroup), q(rows * cols);
  std::vector<float> scales(rows);
  for (size_t first = 0; first < cols; first += width) {
    const size_t count = std::min(width, cols - first);
    const std::vector<float> inputs = transposed(rounded, first, count);  // [count, T]
    const auto packed = pack_f32(ops_, inputs, count, rounded.rows());
    std::vector<float> products(count * count);
    ops_.matmul(ConstMatrix(inputs.data(), count, rounded.rows()), *packed,
                Matrix(products.data(), count, count));
    const ErrorFeedback feedback(products, count);
    if (count == cols && rounded.rows() >= 4 * cols)
      correct(matrix, exact, rounded, *packed, feedback, weights);
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

// W += kCorrection * W (X - X') X'^T (X' X'^T)^-1: what the inputs X' lack of the exact X, as far as
// it can be told from X'.
void CalibratingOps::correct(Pending& matrix, ConstMatrix exact, ConstMatrix rounded,
                             const MatrixWeight& inputs, const ErrorFeedback& feedback,
                             std::span<float> weights) {
  const size_t count = exact.rows(), rows = matrix.rows(), cols = matrix.cols();
  std::vector<float> lacking(count * cols), products(count * rows);
  for (size_t t = 0; t < count; ++t) {
    for (size_t k = 0; k < cols; ++k)
      lacking[t * cols + k] = exact.at(t, k) - rounded.at(t, k);
  }
  const Matrix lost(products.data(), count, rows);
  ops_.matmul(ConstMatrix(lacking.data(), count, cols), matrix.exact(), lost);
  const std::vector<float> lost_rows = transposed(lost, 0, rows);  // [N, T]
  std::vector<float> change(rows * cols);
  ops_.matmul(ConstMatrix(lost_rows.data(), rows, count), inputs,
              Matrix(change.data(), rows, cols));
  pool_.parallel_for(rows, 1, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      const std::span<float> row = std::span(change).subspan(r * cols, cols);
      feedback.solve(row);
      for (size_t k = 0; k < cols; ++k) weights[r * cols + k] += kCorrection * row[k];
    }
  });
}

}  // namespace kani
