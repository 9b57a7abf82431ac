// analysis_words.h - what figures of a model mean, in the words of upstream's tools.
// Source: training.md 10.  Not here: the figures (kani/train/metrics.h).
#pragma once

#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "kani/train/metrics.h"

namespace kani::train {

/// Adds to `out` what printf would print, of at most 199 bytes.
template <typename... Values>
void line(std::string& out, const char* format, Values... values) {
  char text[200];
  std::snprintf(text, sizeof text, format, values...);
  out += text;
}

/// Limits and words, from the best on.
using Grades = std::array<std::pair<double, const char*>, 3>;
inline constexpr Grades kPerplexityGrades{
    {{50, "excellent"}, {100, "good"}, {200, "acceptable"}}};  // below them
inline constexpr Grades kVarianceGrades{
    {{2, "excellent"}, {1.5, "good"}, {1, "acceptable"}}};  // above them

/// The word of the first limit that the value is below (above); "poor" if there is none.
const char* grade_below(double value, const Grades& grades);
const char* grade_above(double value, const Grades& grades);

/// What rope_figures() holds, a line a layer in the order of the layers, with the change from
/// `start` and an arrow if it is over 0.01; range, mean and standard deviation; whether early and
/// late layers differ by over 0.05.  Empty without learnable RoPE.
std::string rope_table(const Figures& figures, int layers, double start);

}  // namespace kani::train
