// optimizer.h - the update: AdamW in two groups, Muon for the layers' matrices if it is asked for,
// learning-rate schedule, clipping.
// Source: training.md 8.4 to 8.7, 14.8; muon.h.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kani/train/comm.h"
#include "kani/train/lfm2_module.h"

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

/// Of a language model's parameters, those that rule muon updates.
bool is_language_matrix(std::string_view name, const at::Tensor& parameter);

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
  bool (*is_matrix)(std::string_view name, const at::Tensor& parameter) = is_language_matrix;
  int zero_stage =
      1;  // of several processes: 1 each keeps a share of the moments, 0 each keeps all
};

/// Factor of the schedule for update n = 0, 1, ….
double schedule_factor(const OptimizerSettings& settings, int64_t n);

/// Throws Error(kInvalidArgument) naming the setting.
void validate(const OptimizerSettings& settings);

/// The state of one parameter: what checkpoints keep.
struct Moments {
  at::Tensor first, second;  // as the parameter, float32; Muon has its momentum alone, in first
  at::Tensor steps;          // scalar float32
};

/// Owns the moments; parameters stay the model's.  State exists from the start.  Of several
/// processes each keeps the moments of its own share of the parameters and updates these, then all
/// get all of them (ZeRO-1); or each keeps and updates all, and nothing is sent (zero_stage 0).
class AdamW {
 public:
  /// `comm` may be null and must outlive it.
  AdamW(OptimizerSettings settings, ParameterMap& parameters, Comm* comm = nullptr);

  /// Updates with the gradients that the parameters have and forgets them.  Returns the norm of all
  /// gradients before clipping.  With `update` false nothing changes but that they are forgotten.
  /// Of several processes all must have the same gradients.
  double step(int64_t n, bool update = true);
  /// The norm that step() would return.
  double gradient_norm() const;
  double learning_rate(int64_t n) const;
  /// What a parameter's learning rate is beside its rule's: alpha_lr_ratio, times the factor of the
  /// longest part of its name that name_factors has.
  double rate_factor(std::string_view name) const;

  /// The process that keeps the moments of a parameter, or writes them if all keep them;
  /// deterministic.
  int owner(std::string_view name) const;
  /// Whether that is this process.
  bool owns(std::string_view name) const;
  const OptimizerSettings& settings() const { return settings_; }
  std::map<std::string, Moments, std::less<>>& state() { return state_; }
  const std::map<std::string, Moments, std::less<>>& state() const { return state_; }

 private:
  // AdamW and its likes: whether a parameter is not theirs.
  bool is_muons(std::string_view name) const;
  void update_matrices(int64_t n, double factor);
  // The update of what is AdamW's.
  void update_by_groups(int64_t n, double factor);
  // The same where the parameters are on a GPU; false elsewhere.
  bool update_on_gpu(int64_t n, double factor);

  OptimizerSettings settings_;
  ParameterMap& parameters_;
  Comm* comm_;
  std::map<std::string, int, std::less<>> owners_;
  std::map<std::string, Moments, std::less<>> state_;
};

/// What `optimizer` keeps as named tensors, as checkpoints hold them: first.NAME, second.NAME (not
/// of Muon's) and steps.NAME.  They share the optimizer's memory.
ParameterMap moments_map(const AdamW& optimizer);
/// The same of the parameters that this process owns: its part of a checkpoint.
ParameterMap owned_moments(const AdamW& optimizer);

}  // namespace kani::train
