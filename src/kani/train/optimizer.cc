// optimizer.cc - see optimizer.h.
#include "kani/train/optimizer.h"

#include <ATen/ops/_fused_adamw.h>

#include <algorithm>
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/train/cuda_device.h"
#include "kani/train/device_update.h"
#include "kani/train/muon.h"
#include "kani/train/narrow_weights.h"

namespace kani::train {
namespace {

bool is_rope_factor(std::string_view name) { return name.ends_with("alpha_weight"); }

}  // namespace

bool is_language_matrix(std::string_view name, const at::Tensor& parameter) {
  return name.starts_with("model.layers.") && name.find(".lora_") == std::string_view::npos &&
         parameter.dim() == 2;
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
  const auto is_matrix = settings_.is_matrix != nullptr ? settings_.is_matrix : is_language_matrix;
  return settings_.rule == "muon" && is_matrix(name, parameters_.find(name)->second);
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
    if (!parameter.grad().defined() || is_muons(name) || is_narrow(parameter)) continue;
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

void AdamW::put_back(std::string_view name, const at::Tensor& wide, int64_t n) {
  uint64_t key = splitmix64(settings_.rounding_seed ^ splitmix64(static_cast<uint64_t>(n)));
  for (const char c : name) key = splitmix64(key ^ static_cast<unsigned char>(c));
  parameters_.find(name)->second.detach().copy_(rounded_by_chance(wide, key));
}

namespace {

struct Group {
  std::vector<at::Tensor> parameters, grads, first, second, steps;
};

}  // namespace

void AdamW::update_by_groups(int64_t n, double factor, bool narrow_alone) {
  const auto update = [&](Group& group, double rate_factor, double decay) {
    if (factor < 1) at::_foreach_mul_(group.grads, factor);
    at::_foreach_add_(group.steps, 1);
    at::_fused_adamw_(group.parameters, group.grads, group.first, group.second, {}, group.steps,
                      learning_rate(n) * rate_factor, settings_.beta1, settings_.beta2, decay,
                      settings_.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  };
  std::map<std::pair<double, double>, Group> groups;  // by factor of the rate and decay
  for (auto& [name, moments] : state_) {
    at::Tensor& parameter = parameters_.find(name)->second;
    const at::Tensor grad = parameter.grad();
    if (!grad.defined() || is_muons(name)) continue;
    const double rate = rate_factor(name);
    const double decay = is_rope_factor(name) ? 0 : settings_.weight_decay;
    if (is_narrow(parameter)) {  // one at a time: there is never more than one in float32
      Group one{{parameter.detach().to(at::kFloat)},
                {grad},
                {moments.first},
                {moments.second},
                {moments.steps}};
      update(one, rate, decay);
      put_back(name, one.parameters[0], n);
    } else if (!narrow_alone) {
      Group& group = groups[{rate, decay}];
      group.parameters.push_back(parameter);
      group.grads.push_back(grad);
      group.first.push_back(moments.first);
      group.second.push_back(moments.second);
      group.steps.push_back(moments.steps);
    }
  }
  for (auto& [key, group] : groups) update(group, key.first, key.second);
}

void AdamW::update_matrices(int64_t n, double factor) {
  if (settings_.rule != "muon") return;
  const MuonRules rules{settings_.muon_momentum, settings_.weight_decay, factor};
  std::vector<MuonMatrix> matrices;
  for (auto& [name, moments] : state_) {
    const at::Tensor& parameter = parameters_.find(name)->second;
    if (!is_muons(name) || !parameter.grad().defined()) continue;
    // A view, or an error: the update must reach the parameter itself.
    const auto rows = [](const at::Tensor& x) { return x.view({x.size(0), -1}); };
    const at::Tensor wide = parameter.detach().to(at::kFloat);  // itself, unless it is narrow
    const MuonMatrix matrix{
        rows(wide), parameter.grad().flatten(1), rows(moments.first),
        settings_.muon_learning_rate * schedule_factor(settings_, n) * rate_factor(name)};
    moments.steps.add_(1);
    if (is_narrow(parameter)) {
      muon({matrix}, rules);
      put_back(name, wide, n);
    } else {
      matrices.push_back(matrix);
    }
  }
  muon(matrices, rules);
}

double AdamW::step(int64_t n, bool update) {
  at::NoGradGuard no_grad;
  const double norm = gradient_norm();
  const double factor =
      settings_.max_grad_norm > 0 ? std::min(1.0, settings_.max_grad_norm / (norm + 1e-6)) : 1;
  if (update) update_matrices(n, factor);
  // One kernel for all on a GPU, which knows no more than two rates.
  const bool on_gpu = update && settings_.name_factors.empty() && update_on_gpu(n, factor);
  if (update) update_by_groups(n, factor, /*narrow_alone=*/on_gpu);
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
