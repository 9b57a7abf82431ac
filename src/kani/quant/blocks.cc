// blocks.cc - see blocks.h.  The order of the sums is part of the definition: kernels that treat
// several groups at once add each in this order and get the same bits.
#include "kani/quant/blocks.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace kani {
namespace {

constexpr float kNothing = 1e-30F;  // weights below are zero

// Comparisons that fail for what is not a number, so that it never becomes an integer: a file may
// hold such weights, and loading it unchecked must not be undefined.
float at_most(float x, float high) { return x < high ? x : high; }
float at_least(float x, float low) { return x > low ? x : low; }
float or_zero(float x) { return x == x ? x : 0; }

float largest(const float* w) {
  float top = 0;
  for (size_t i = 0; i < kQuantGroup; ++i) {
    if (std::fabs(w[i]) > std::fabs(top)) top = w[i];
  }
  return top;
}

}  // namespace

float quantize_row_q8(std::span<const float> w, QuantRow out) noexcept {
  assert(w.size() % kQuantBlock == 0 && out.q.size() == w.size());
  float top = 0;
  for (const float x : w) top = std::max(top, std::fabs(x));
  const bool zero = top < kNothing;
  const float scale = zero ? 0 : top / (127 * 127), units = zero ? 0 : 1 / scale;
  for (size_t g = 0; g < out.groups.size(); ++g) {
    const float* from = w.data() + g * kQuantGroup;
    const float steps = std::ceil(std::fabs(largest(from)) / 127 * units);
    const float group = at_most(steps, 127);
    const float inverse = group == 0 ? 0 : 1 / (scale * group);
    out.groups[g] = static_cast<int8_t>(group);
    for (size_t i = 0; i < kQuantGroup; ++i) {
      const float q = std::nearbyint(from[i] * inverse);
      out.q[g * kQuantGroup + i] = static_cast<int8_t>(at_most(at_least(q, -127), 127));
    }
  }
  return scale;
}

int8_t nearest_q4(float x) noexcept {
  int code = 0;
  for (const float bound : kQ4Bounds) code += x > bound ? 1 : 0;
  return static_cast<int8_t>(code);
}

// For given levels l the best scale is sum(w l) / sum(l^2), and the squared error that is then left
// is sum(w^2) - sum(w l)^2 / sum(l^2).
float fit_q4(const float* w) noexcept {
  const float top = largest(w);
  if (std::fabs(top) < kNothing) return 0;
  float most = -1, best = 0;
  for (const float candidate : kQ4Candidates) {
    const float inverse = candidate / top;
    float wl = 0, ll = 0;
    for (size_t i = 0; i < kQuantGroup; ++i) {
      const float level = kQ4Levels[nearest_q4(w[i] * inverse)];
      wl = std::fma(w[i], level, wl);
      ll += level * level;  // exact
    }
    const float gain = wl * (wl / ll);  // ll >= 1: no level is 0
    if (gain > most) {
      most = gain;
      best = wl / ll;
    }
  }
  return best;
}

float quantize_row_q4(std::span<const float> w, QuantRow out) noexcept {
  assert(w.size() % kQuantBlock == 0 && out.q.size() == w.size());
  float top = 0;
  for (size_t g = 0; g < out.groups.size(); ++g)
    top = std::max(top, std::fabs(fit_q4(w.data() + g * kQuantGroup)));
  const bool zero = top < kNothing;
  const float scale = zero ? 0 : top / 127, units = zero ? 0 : 1 / scale;
  for (size_t g = 0; g < out.groups.size(); ++g) {
    const float* from = w.data() + g * kQuantGroup;
    const float group = or_zero(std::nearbyint(fit_q4(from) * units));
    const float inverse = group == 0 ? 0 : 1 / (scale * group);
    out.groups[g] = static_cast<int8_t>(group);
    for (size_t i = 0; i < kQuantGroup; ++i)
      out.q[g * kQuantGroup + i] = nearest_q4(from[i] * inverse);
  }
  return scale;
}

}  // namespace kani
