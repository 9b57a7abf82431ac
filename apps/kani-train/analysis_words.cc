// analysis_words.cc - see analysis_words.h.
#include "analysis_words.h"

#include <vector>

#include "kani/base/error.h"

namespace kani::train {
namespace {

constexpr double kMoved = 0.01, kVerdict = 0.05;

const char* arrow(double change) { return change > kMoved ? "^" : change < -kMoved ? "v" : ""; }

// The first half of the layers against the second; one in the middle belongs to neither.
void add_verdict(std::string& out, const std::vector<double>& values) {
  const size_t half = values.size() / 2;
  if (half == 0) return;
  double early = 0, late = 0;
  for (size_t i = 0; i < half; ++i) {
    early += values[i] / static_cast<double>(half);
    late += values[values.size() - 1 - i] / static_cast<double>(half);
  }
  line(out, "  early layers %.4f, late layers %.4f: %s\n", early, late,
       early - late > kVerdict   ? "early layers turn faster"
       : late - early > kVerdict ? "late layers turn faster"
                                 : "no difference");
}

}  // namespace

const char* grade_below(double value, const Grades& grades) {
  for (const auto& [limit, word] : grades) {
    if (value < limit) return word;
  }
  return "poor";
}

const char* grade_above(double value, const Grades& grades) {
  for (const auto& [limit, word] : grades) {
    if (value > limit) return word;
  }
  return "poor";
}

std::string rope_table(const Figures& figures, int layers, double start) {
  std::string out;
  std::vector<double> values;
  for (int layer = 0; layer < layers; ++layer) {
    const std::string name = concat("rope_alpha/layer_", layer);
    const auto value = figures.find(name + "/value");
    if (value == figures.end()) continue;
    const double change = value->second - start;
    line(out, "  layer %2d  weight %8.4f  factor %7.4f  %+.4f %s\n", layer,
         figures.at(name + "/raw_weight"), value->second, change, arrow(change));
    values.push_back(value->second);
  }
  if (values.empty()) return out;
  line(out, "  %.4f to %.4f, mean %.4f, standard deviation %.4f; changes are from %.4f\n",
       figures.at("rope_alpha/min"), figures.at("rope_alpha/max"), figures.at("rope_alpha/mean"),
       figures.at("rope_alpha/std"), start);
  add_verdict(out, values);
  return out;
}

}  // namespace kani::train
