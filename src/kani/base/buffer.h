// buffer.h - owned, aligned, zero-filled arrays of plain numbers.  Large ones ask for huge pages:
// normal 4 KB pages cost about 10 % of read bandwidth on the machines this was measured on
// (peers/RESULTS.md).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "kani/base/view.h"

namespace kani {

/// Zero-filled bytes aligned to 64 (to 2 MiB from 4 MiB on).  Throws Error(kOutOfMemory).  `bytes`
/// = 0 gives nullptr.
void* allocate_aligned(size_t bytes);
void free_aligned(void* data, size_t bytes) noexcept;

template <typename T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  explicit Buffer(size_t count)
      : data_(static_cast<T*>(allocate_aligned(count * sizeof(T)))), count_(count) {}
  Buffer(Buffer&& other) noexcept : data_(other.data_), count_(other.count_) {
    other.data_ = nullptr;
    other.count_ = 0;
  }
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      free_aligned(data_, count_ * sizeof(T));
      data_ = std::exchange(other.data_, nullptr);
      count_ = std::exchange(other.count_, 0);
    }
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { free_aligned(data_, count_ * sizeof(T)); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  std::span<T> span() { return {data_, count_}; }
  std::span<const T> span() const { return {data_, count_}; }
  /// The first rows * cols elements as a matrix.
  MatrixView<T> matrix(size_t rows, size_t cols) { return {data_, rows, cols}; }
  MatrixView<const T> matrix(size_t rows, size_t cols) const { return {data_, rows, cols}; }

 private:
  T* data_ = nullptr;
  size_t count_ = 0;
};

}  // namespace kani
