// optimizer.h - the update: AdamW in two groups, Muon for the layers' matrices if it is asked for,
// learning-rate schedule, clipping.
// Source: training.md 8.4 to 8.7, 14.8; muon.h.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "kani/train/comm.h"
#include "kani/train/lfm2_module.h"
#include "kani/train/optimizer_settings.h"

namespace kani::train {

/// Of a language model's parameters, those that rule muon updates.
bool is_language_matrix(std::string_view name, const at::Tensor& parameter);

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
  // A parameter that is kept in bf16, at the end of its update.
  void put_back(std::string_view name, const at::Tensor& wide, int64_t n);
  // The update of what is AdamW's, or of its parameters in bf16 alone.
  void update_by_groups(int64_t n, double factor, bool narrow_alone);
  // The same of parameters in float32 on a GPU; false elsewhere.
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
