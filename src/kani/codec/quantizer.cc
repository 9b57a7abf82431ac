// quantizer.cc - see quantizer.h.  All in float32, operation by operation as upstream.
#include "kani/codec/quantizer.h"

#include <cassert>
#include <cmath>

#include "kani/base/error.h"

namespace kani {

FiniteScalarQuantizer::FiniteScalarQuantizer(std::span<const int> levels, float eps) {
  require(levels.size() == kDimensions, "quantiser has ", levels.size(), " levels, expected ",
          kDimensions);
  require(eps > 0 && eps < 0.5F, "quantiser eps is ", eps, ", expected a number between 0 and 0.5");
  int64_t size = 1;
  for (size_t d = 0; d < kDimensions; ++d) {
    const int level = levels[d];
    require(level >= 2 && size * level <= int64_t{1} << 20, "quantiser level ", d, " is ", level,
            ", expected at least 2 and no more than 2^20 codes in all");
    const float scale = static_cast<float>((level - 1) / 2.0 * (1.0 - eps));
    const float offset = level % 2 == 0 ? 0.5F : 0.0F;
    dimensions_[d] = {level, level / 2, static_cast<int>(size),
                      scale, offset,    std::tan(offset / scale)};
    size *= level;
  }
  table_.resize(static_cast<size_t>(size));
  for (size_t code = 0; code < table_.size(); ++code) {
    for (size_t d = 0; d < kDimensions; ++d) {
      const Dimension& dim = dimensions_[d];
      const int digit = static_cast<int>(code) / dim.base % dim.level;
      table_[code][d] = static_cast<float>(digit - dim.half) / static_cast<float>(dim.half);
    }
  }
}

const FiniteScalarQuantizer::Vector& FiniteScalarQuantizer::vector(int32_t code) const {
  assert(code >= 0 && code < size());
  return table_[static_cast<size_t>(code)];
}

FiniteScalarQuantizer::Vector FiniteScalarQuantizer::compress(const Vector& x) const {
  Vector c{};
  for (size_t d = 0; d < kDimensions; ++d) {
    const Dimension& dim = dimensions_[d];
    c[d] = dim.scale * std::tanh(x[d] + dim.shift) - dim.offset;
  }
  return c;
}

// eps keeps c strictly inside the outermost rounding boundaries, so that no digit needs clamping.
int32_t FiniteScalarQuantizer::code(const Vector& x) const {
  const Vector c = compress(x);
  int32_t code = 0;
  for (size_t d = 0; d < kDimensions; ++d) {
    assert(!std::isnan(c[d]));
    const Dimension& dim = dimensions_[d];
    const int digit = static_cast<int>(std::nearbyint(c[d])) + dim.half;
    code += digit * dim.base;
  }
  return code;
}

}  // namespace kani
