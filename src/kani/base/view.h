// view.h - non-owning views of rows of numbers.  Cheap to copy, never stored beyond the call unless
// a header says so.
#pragma once

#include <cassert>
#include <cstddef>
#include <span>

namespace kani {

/// Rows x columns with a row stride in elements; columns are adjacent.
template <typename T>
class MatrixView {
 public:
  MatrixView() = default;
  MatrixView(T* data, size_t rows, size_t cols) : MatrixView(data, rows, cols, cols) {}
  MatrixView(T* data, size_t rows, size_t cols, size_t stride)
      : data_(data), rows_(rows), cols_(cols), stride_(stride) {
    assert(rows <= 1 || stride >= cols);
  }

  operator MatrixView<const T>() const { return {data_, rows_, cols_, stride_}; }

  T* data() const { return data_; }
  size_t rows() const { return rows_; }
  size_t cols() const { return cols_; }
  size_t stride() const { return stride_; }
  T* row(size_t i) const {
    assert(i < rows_ || (i == 0 && rows_ == 0));
    return data_ + i * stride_;
  }
  T& at(size_t i, size_t j) const { return row(i)[j]; }
  /// Rows [first, first + count).
  MatrixView rows(size_t first, size_t count) const {
    assert(first + count <= rows_);
    return {data_ + first * stride_, count, cols_, stride_};
  }
  /// Columns [first, first + count) of every row.
  MatrixView cols(size_t first, size_t count) const {
    assert(first + count <= cols_);
    return {data_ + first, rows_, count, stride_};
  }

 private:
  T* data_ = nullptr;
  size_t rows_ = 0;
  size_t cols_ = 0;
  size_t stride_ = 0;
};

using Matrix = MatrixView<float>;
using ConstMatrix = MatrixView<const float>;

}  // namespace kani
