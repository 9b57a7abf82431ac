// optimizer.cc - see optimizer.h.
#include "kani/train/optimizer.h"

#include <ATen/ops/_fused_adamw.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>

#include "kani/base/error.h"
#include "kani/train/cuda_device.h"
#include "kani/train/device_update.h"
#include "kani/train/muon.h"

namespace kani::train {
namespace {

constexpr double kPolynomialEnd = 1e-7;       // learning rate at the end, transformers' lr_end
constexpr double kInverseSqrtScale = 10'000;  // updates, where there is no warm-up

bool is_rope_factor(std::string_view name) { return name.ends_with("alpha_weight"); }

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

bool is_language_matrix(std::string_view name, const at::Tensor& parameter) {
  return name.starts_with("model.layers.") && name.find(".lora_") == std::string_view::npos &&
         parameter.dim() == 2;
}

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

AdamW::AdamW(OptimizerSettings settings, ParameterMap& parameters, Comm* comm)
    : settings_(std::move(settings)), parameters_(parameters), comm_(comm) {
  validate(settings_);
  // The largest first, each to the process with the least so far.
  std::vector<std::pair<int64_t, std::string>> largest;
  for (const auto& [name, parameter] : parameters_) {
    if (parameter.requires_grad()) largest.emplace_back(-parameter.numel(), name);
  }
  std::sort(largest.begin(), largest.end());
  const bool shared = comm != nullptr && settings_.zero_stage > 0;
  std::vector<int64_t> load(shared ? static_cast<size_t>(comm->size()) : 1);
  for (const auto& [size, name] : largest) {
    const auto least = std::min_element(load.begin(), load.end());
    owners_[name] = static_cast<int>(least - load.begin());
    *least -= size;
  }
  for (const auto& [name, owner] : owners_) {
    if (shared && !owns(name)) continue;
    const at::Tensor& parameter = parameters_.find(name)->second;
    const auto like = parameter.options().dtype(at::kFloat).requires_grad(false);
    state_[name] = {at::zeros(parameter.sizes(), like),
                    is_muons(name) ? at::Tensor() : at::zeros(parameter.sizes(), like),
                    at::zeros({}, like)};
  }
}

bool AdamW::is_muons(std::string_view name) const {
  return settings_.rule == "muon" && settings_.is_matrix(name, parameters_.find(name)->second);
}

int AdamW::owner(std::string_view name) const { return owners_.find(name)->second; }

bool AdamW::owns(std::string_view name) const {
  return owner(name) == (comm_ == nullptr ? 0 : comm_->rank());
}

double AdamW::learning_rate(int64_t n) const {
  return settings_.learning_rate * schedule_factor(settings_, n);
}

double AdamW::rate_factor(std::string_view name) const {
  const double factor = is_rope_factor(name) ? settings_.alpha_lr_ratio : 1;
  size_t longest = 0;
  double by_name = 1;
  for (const auto& [part, value] : settings_.name_factors) {
    if (part.size() < longest || name.find(part) == std::string_view::npos) continue;
    longest = part.size();
    by_name = value;
  }
  return factor * by_name;
}

double AdamW::gradient_norm() const {
  std::vector<at::Tensor> grads;
  for (const auto& [name, owner] : owners_) {
    const at::Tensor grad = parameters_.find(name)->second.grad();
    if (grad.defined()) grads.push_back(grad);
  }
  if (grads.empty()) return 0;
  if (const auto* kernels = kernels_for(grads[0])) return device::gradient_norm(*kernels, grads);
  return at::stack(at::_foreach_norm(grads, 2)).norm().item<double>();
}

bool AdamW::update_on_gpu(int64_t n, double factor) {
  std::vector<device::UpdateRow> rows;
  std::vector<at::Tensor> steps;
  for (auto& [name, moments] : state_) {
    const at::Tensor& parameter = parameters_.find(name)->second;
    if (!parameter.grad().defined() || is_muons(name)) continue;
    rows.push_back({parameter.detach(),
                    parameter.grad(),
                    moments.first,
                    moments.second,
                    moments.steps,
                    {},
                    is_rope_factor(name) ? 1 : 0});
    steps.push_back(moments.steps);
  }
  const auto* kernels = rows.empty() ? nullptr : kernels_for(rows[0].parameter);
  if (kernels == nullptr) return false;
  at::_foreach_add_(steps, 1);
  const double rate = learning_rate(n);
  const auto narrow = [](double value) { return static_cast<float>(value); };
  device::adamw(*kernels, rows,
                {.rate = {narrow(rate), narrow(rate * settings_.alpha_lr_ratio)},
                 .decay = {narrow(settings_.weight_decay), 0},
                 .beta1 = narrow(settings_.beta1),
                 .beta2 = narrow(settings_.beta2),
                 .eps = narrow(settings_.epsilon),
                 .factor = narrow(factor)});
  return true;
}

void AdamW::update_by_groups(int64_t n, double factor) {
  struct Group {
    std::vector<at::Tensor> parameters, grads, first, second, steps;
  };
  std::map<std::pair<double, double>, Group> groups;  // by factor of the rate and decay
  for (auto& [name, moments] : state_) {
    at::Tensor& parameter = parameters_.find(name)->second;
    const at::Tensor grad = parameter.grad();
    if (!grad.defined() || is_muons(name)) continue;
    Group& group = groups[{rate_factor(name), is_rope_factor(name) ? 0 : settings_.weight_decay}];
    group.parameters.push_back(parameter);
    group.grads.push_back(grad);
    group.first.push_back(moments.first);
    group.second.push_back(moments.second);
    group.steps.push_back(moments.steps);
  }
  for (auto& [key, group] : groups) {
    if (factor < 1) at::_foreach_mul_(group.grads, factor);
    at::_foreach_add_(group.steps, 1);
    at::_fused_adamw_(group.parameters, group.grads, group.first, group.second, {}, group.steps,
                      learning_rate(n) * key.first, settings_.beta1, settings_.beta2, key.second,
                      settings_.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
}

void AdamW::update_matrices(int64_t n, double factor) {
  if (settings_.rule != "muon") return;
  std::vector<MuonMatrix> matrices;
  for (auto& [name, moments] : state_) {
    const at::Tensor& parameter = parameters_.find(name)->second;
    if (!is_muons(name) || !parameter.grad().defined()) continue;
    // A view, or an error: the update must reach the parameter itself.
    const auto rows = [](const at::Tensor& x) { return x.view({x.size(0), -1}); };
    matrices.push_back(
        {rows(parameter.detach()), parameter.grad().flatten(1), rows(moments.first),
         settings_.muon_learning_rate * schedule_factor(settings_, n) * rate_factor(name)});
    moments.steps.add_(1);
  }
  muon(matrices, {settings_.muon_momentum, settings_.weight_decay, factor});
}

double AdamW::step(int64_t n, bool update) {
  at::NoGradGuard no_grad;
  const double norm = gradient_norm();
  const double factor =
      settings_.max_grad_norm > 0 ? std::min(1.0, settings_.max_grad_norm / (norm + 1e-6)) : 1;
  if (update) update_matrices(n, factor);
  // One kernel for all on a GPU, which knows no more than two rates.
  const bool on_gpu = update && settings_.name_factors.empty() && update_on_gpu(n, factor);
  if (update && !on_gpu) update_by_groups(n, factor);
  for (auto& [name, parameter] : parameters_) parameter.mutable_grad() = at::Tensor();
  const bool sends = comm_ != nullptr && comm_->size() > 1 && settings_.zero_stage > 0;
  for (int rank = 0; sends && update && rank < comm_->size(); ++rank) {
    std::vector<at::Tensor> owned;
    for (const auto& [name, owner] : owners_) {
      if (owner == rank) owned.push_back(parameters_.find(name)->second.detach());
    }
    comm_->broadcast(owned, rank);
  }
  return norm;
}

namespace {

void add_moments(const std::string& name, const Moments& moments, ParameterMap& out) {
  out["first." + name] = moments.first;
  if (moments.second.defined()) out["second." + name] = moments.second;
  out["steps." + name] = moments.steps;
}

}  // namespace

ParameterMap moments_map(const AdamW& optimizer) {
  ParameterMap out;
  for (const auto& [name, moments] : optimizer.state()) add_moments(name, moments, out);
  return out;
}

ParameterMap owned_moments(const AdamW& optimizer) {
  ParameterMap out;
  for (const auto& [name, moments] : optimizer.state()) {
    if (optimizer.owns(name)) add_moments(name, moments, out);
  }
  return out;
}

}  // namespace kani::train
