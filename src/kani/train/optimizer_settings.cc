// optimizer_settings.cc - see optimizer_settings.h.
#include "kani/train/optimizer_settings.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <vector>

#include "kani/base/error.h"

namespace kani::train {
namespace {

constexpr double kPolynomialEnd = 1e-7;       // learning rate at the end, transformers' lr_end
constexpr double kInverseSqrtScale = 10'000;  // updates, where there is no warm-up

void validate_schedule(const OptimizerSettings& s) {
  require(s.schedule != "reduce_lr_on_plateau",
          "lr_scheduler_type reduce_lr_on_plateau follows validation losses; here the rate is a "
          "function of the update's number, so that a run that was stopped goes on the same: take "
          "cosine, or warmup_stable_decay with hold_share");
  const std::vector<std::string> known(std::begin(kSchedules), std::end(kSchedules));
  if (std::find(known.begin(), known.end(), s.schedule) == known.end()) {
    std::string names;
    for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
    throw Error(ErrorCode::kInvalidArgument, "lr_scheduler_type is \"", s.schedule,
                "\", must be one of ", names);
  }
  const bool needs_end =
      s.schedule == "cosine_with_min_lr" || s.schedule == "cosine_warmup_with_min_lr";
  require(!needs_end || s.min_lr_ratio > 0, "lr_scheduler_type ", s.schedule,
          " needs min_lr_ratio above 0");
  require(s.schedule != "warmup_stable_decay" || s.hold_share > 0,
          "lr_scheduler_type warmup_stable_decay needs hold_share above 0, the stable part of the "
          "updates behind the warm-up");
  require(s.schedule != "polynomial" || s.learning_rate > kPolynomialEnd, "learning_rate is ",
          s.learning_rate, ", with lr_scheduler_type polynomial it must be above ", kPolynomialEnd);
}

}  // namespace

void validate(const OptimizerSettings& s) {
  const auto positive = [](double value, const char* name) {
    require(std::isfinite(value) && value > 0, name, " is ", value, ", must be above 0");
  };
  const auto natural = [](double value, const char* name) {
    require(std::isfinite(value) && value >= 0, name, " is ", value, ", must be 0 or more");
  };
  positive(s.learning_rate, "learning_rate");
  positive(s.epsilon, "adam_epsilon");
  natural(s.alpha_lr_ratio, "alpha_lr_ratio");
  natural(s.weight_decay, "weight_decay");
  natural(s.max_grad_norm, "max_grad_norm");
  natural(s.min_lr_ratio, "min_lr_ratio");
  require(s.hold_share >= 0 && s.hold_share < 1, "hold_share is ", s.hold_share,
          ", must be 0 to below 1");
  require(s.beta1 >= 0 && s.beta1 < 1 && s.beta2 >= 0 && s.beta2 < 1, "adam_beta1, adam_beta2 are ",
          s.beta1, ", ", s.beta2, ", must be 0 to below 1");
  positive(s.muon_learning_rate, "muon_learning_rate");
  require(s.muon_momentum >= 0 && s.muon_momentum < 1, "muon_momentum is ", s.muon_momentum,
          ", must be 0 to below 1");
  require(s.rule == "adamw" || s.rule == "muon", "optimizer is \"", s.rule,
          "\", must be adamw or muon");
  require(s.zero_stage == 0 || s.zero_stage == 1, "zero_stage is ", s.zero_stage,
          ", must be 0 or 1");
  require(s.warmup_steps >= 0, "warmup_steps is ", s.warmup_steps, ", must be 0 or more");
  require(s.total_steps >= 1, "total_steps is ", s.total_steps, ", must be 1 or more");
  validate_schedule(s);
}

double schedule_factor(const OptimizerSettings& s, int64_t n) {
  const auto warm = static_cast<double>(s.warmup_steps), now = static_cast<double>(n);
  const auto total = static_cast<double>(s.total_steps), after = total - warm;
  const auto to_the_end = [&](double falling) {
    return s.min_lr_ratio + (1 - s.min_lr_ratio) * std::max(0.0, falling);
  };
  const auto half_wave = [](double done) { return 0.5 * (1 + std::cos(std::numbers::pi * done)); };
  if (s.schedule == "constant") return 1;
  const bool from_zero = s.warm_from_zero && s.schedule != "cosine_warmup_with_min_lr";
  if (n < s.warmup_steps) {
    const double rising = (from_zero ? now : now + 1) / std::max(1.0, warm);
    return s.schedule == "warmup_stable_decay" ? to_the_end(rising) : rising;
  }
  if (s.schedule == "constant_with_warmup") return 1;
  if (s.schedule == "inverse_sqrt") {
    const double scale = s.warmup_steps > 0 ? warm : kInverseSqrtScale;
    return 1 / std::sqrt((now + scale - warm) / scale);
  }
  if (s.schedule == "polynomial") {  // of power 1
    const double end = kPolynomialEnd / s.learning_rate, done = (now - warm) / std::max(1.0, after);
    return n > s.total_steps ? end : end + (1 - end) * (1 - done);
  }
  if (s.schedule == "cosine_with_restarts") {  // one cycle
    const double done = (now - warm) / std::max(1.0, after);
    return done >= 1 ? 0 : half_wave(done);
  }
  if (s.schedule == "cosine_warmup_with_min_lr")
    return to_the_end(half_wave((now - warm + 1) / std::max(1.0, after)));
  const double held = s.hold_share * after;
  const double done = std::max(0.0, now - warm - held) / std::max(1.0, after - held);
  if (s.schedule == "linear") return to_the_end(1 - done);
  // Some of transformers' rise again behind the last update, where nobody is.
  return to_the_end(s.schedule == "warmup_stable_decay" && done >= 1 ? 0 : half_wave(done));
}

}  // namespace kani::train
