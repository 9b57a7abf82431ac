// quantizer.h - the finite scalar quantiser: code numbers to vectors and back.  Source: codec.md
// 3.1; Mentzer et al. 2023.  Not here: groups (each codebook is one quantiser of the same levels).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kani {

/// Immutable, thread-safe.
class FiniteScalarQuantizer {
 public:
  static constexpr size_t kDimensions = 4;
  using Vector = std::array<float, kDimensions>;

  /// Throws Error(kInvalidArgument) unless there are four levels of at least 2 and 0 < eps < 0.5.
  FiniteScalarQuantizer(std::span<const int> levels, float eps);

  /// Number of codes.
  int32_t size() const { return static_cast<int32_t>(table_.size()); }

  /// The vector of a code, 0 <= code < size() (asserted); exact.
  const Vector& vector(int32_t code) const;

  /// x squeezed into the range of the levels, before rounding.
  Vector compress(const Vector& x) const;
  /// The code nearest to x; any value but NaN is fine, infinity included.
  int32_t code(const Vector& x) const;

 private:
  struct Dimension {
    int level;
    int half;
    int base;  // place value of this digit in the code
    float scale;
    float offset;
    float shift;
  };
  std::array<Dimension, kDimensions> dimensions_{};
  std::vector<Vector> table_;
};

}  // namespace kani
