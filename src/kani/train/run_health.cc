// run_health.cc - see run_health.h.
#include "kani/train/run_health.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kani/base/error.h"

namespace kani::train {
namespace {

constexpr size_t kNormsKept = 128;   // of which the median is taken
constexpr double kNormLimit = 10;    // times the median
constexpr size_t kNormsNeeded = 16;  // before the median says anything

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void keep(std::vector<double>& recent, double value) {
  recent.push_back(value);
  if (recent.size() > kNormsKept) recent.erase(recent.begin());
}

// How many standard deviations a value is from the mean of those before; 0 of too few.
double deviations(double value, const std::vector<double>& recent) {
  if (recent.size() < kNormsNeeded) return 0;
  const auto count = static_cast<double>(recent.size());
  const double mean = std::accumulate(recent.begin(), recent.end(), 0.0) / count;
  double square = 0;
  for (const double v : recent) square += (v - mean) * (v - mean);
  return square == 0 ? 0 : (value - mean) / std::sqrt(square / count);
}

}  // namespace

void judge(UpdateReport& report, const RunState& state, const HealthRules& rules) {
  if (!report.skip_reason.empty()) {
    // The caller knows one already.
  } else if (!std::isfinite(report.loss)) {
    report.skip_reason = "the loss is not finite";
  } else if (!std::isfinite(report.grad_norm)) {
    report.skip_reason = "a gradient is not finite";
  } else if (rules.watch_the_norm && state.recent_norms.size() >= kNormsNeeded &&
             report.grad_norm > kNormLimit * median(state.recent_norms)) {
    report.skip_reason = concat("the gradient's norm is ", report.grad_norm, ", the median is ",
                                median(state.recent_norms));
  }
  report.skipped = !report.skip_reason.empty();
  report.clipped = rules.max_grad_norm > 0 && report.grad_norm > rules.max_grad_norm;
  report.loss_score = deviations(report.loss, state.recent_losses);
  report.norm_score = deviations(report.grad_norm, state.recent_norms);
}

void remember(const UpdateReport& report, RunState& state) {
  if (report.skipped) {
    ++state.skipped;
    ++state.skipped_in_row;
    return;
  }
  state.skipped_in_row = 0;
  keep(state.recent_norms, report.grad_norm);
  keep(state.recent_losses, report.loss);
}

}  // namespace kani::train
