// optimizer_settings.h - rates, schedule and clipping of the update (optimizer.h).
// Source: training.md 8.4 to 8.7, 14.8.  Not here: LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace at {
class Tensor;
}

namespace kani::train {

/// Transformers' names, with its formulas and its values where there is no key of ours: polynomial
/// of power 1 to 1e-7, one cycle of restarts, inverse_sqrt over the warm-up.  min_lr_ratio is for
/// linear and the cosines (but for restarts) and for warmup_stable_decay; hold_share for linear,
/// cosine, cosine_with_min_lr and warmup_stable_decay.
inline constexpr const char* kSchedules[] = {"linear",
                                             "cosine",
                                             "cosine_with_restarts",
                                             "polynomial",
                                             "constant",
                                             "constant_with_warmup",
                                             "inverse_sqrt",
                                             "cosine_with_min_lr",
                                             "cosine_warmup_with_min_lr",
                                             "warmup_stable_decay"};

struct OptimizerSettings {
  double learning_rate = 9e-4;
  double alpha_lr_ratio = 1.5;  // learning rate of the RoPE factors = ratio x learning_rate
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;
  double max_grad_norm = 3;  // 0: no clipping
  int64_t warmup_steps = 2000;
  int64_t total_steps = 0;
  std::string schedule = "cosine";               // one of kSchedules
  bool warm_from_zero = false;                   // upstream's first update has learning rate 0
  std::map<std::string, double> name_factors{};  // on the learning rate, by a part of the name
  double min_lr_ratio = 0;                       // where the cosine and the line end
  double hold_share = 0;       // share of the updates after the warm-up before they begin to fall
  std::string rule = "adamw";  // adamw; muon: for the matrices of the layers
  double muon_learning_rate = 0.02;  // of those, under the same schedule
  double muon_momentum = 0.95;
  // Whether a parameter is a matrix of the layers; one of three dimensions counts as [rows, rest].
  // null: is_language_matrix() (optimizer.h).
  bool (*is_matrix)(std::string_view name, const at::Tensor& parameter) = nullptr;
  uint64_t rounding_seed = 0;  // of weights that are kept in bf16 (narrow_weights.h)
  int zero_stage =
      1;  // of several processes: 1 each keeps a share of the moments, 0 each keeps all
};

/// Factor of the schedule for update n = 0, 1, ….
double schedule_factor(const OptimizerSettings& settings, int64_t n);

/// Throws Error(kInvalidArgument) naming the setting.
void validate(const OptimizerSettings& settings);

}  // namespace kani::train
