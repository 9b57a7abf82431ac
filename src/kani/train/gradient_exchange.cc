// gradient_exchange.cc - see gradient_exchange.h.
#include "kani/train/gradient_exchange.h"

#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace kani::train {

struct GradientExchange::State {
  struct Group {
    std::vector<at::Tensor> parameters;
    size_t missing = 0;  // gradients that the backward pass has not made yet
    bool lacks = false;  // one of them was not made here
    at::Tensor flat;     // the gradients, then for each a 1 if it was made
    std::function<void()> wait;
  };

  // Called by LibTorch's engine when a gradient is whole.
  class Hook : public torch::autograd::PostAccumulateGradHook {
   public:
    Hook(std::weak_ptr<State> state, size_t group) : state_(std::move(state)), group_(group) {}
    void operator()(const torch::autograd::Variable&) override {
      if (const auto state = state_.lock()) state->arrived(group_);
    }

   private:
    std::weak_ptr<State> state_;
    size_t group_;
  };

  void begin(Group& group) {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> parts;
    std::vector<float> made;
    group.lacks = false;
    for (at::Tensor& parameter : group.parameters) {
      at::Tensor& grad = parameter.mutable_grad();
      made.push_back(grad.defined() ? 1 : 0);
      group.lacks = group.lacks || !grad.defined();
      if (!grad.defined())
        grad = at::zeros(parameter.sizes(),
                         parameter.options().dtype(at::kFloat).requires_grad(false));
      parts.push_back(grad.reshape({-1}));
    }
    parts.push_back(at::tensor(made).to(parts.front().options()));
    group.flat = at::cat(parts).to(wire);
    group.wait = comm->begin_sum(group.flat);
  }

  // What no process has a gradient for has none, as if there were one process.
  static void forget_what_nobody_made(Group& group, const at::Tensor& made) {
    const at::Tensor counts = made.to(at::kCPU, at::kFloat);
    for (size_t i = 0; i < group.parameters.size(); ++i) {
      if (counts[static_cast<int64_t>(i)].item<float>() == 0)
        group.parameters[i].mutable_grad() = at::Tensor();
    }
  }

  // A gradient of group `number` is there.
  void arrived(size_t number) {
    if (!armed || groups[number].missing == 0) return;
    --groups[number].missing;
    while (next < groups.size() && groups[next].missing == 0) begin(groups[next++]);
  }

  Comm* comm = nullptr;
  at::ScalarType wire = at::kFloat;
  std::vector<Group> groups;
  size_t next = 0;  // the first group whose sum has not begun
  bool armed = false;
};

namespace {

// The larger, the earlier a backward pass meets it.
int64_t place_of(std::string_view name) {
  constexpr std::string_view kLayers = "model.layers.";
  if (!name.starts_with(kLayers))
    return name.find("embed") == std::string_view::npos &&
                   name.find("norm") != std::string_view::npos
               ? INT64_MAX
               : -1;
  int64_t layer = 0;
  std::from_chars(name.data() + kLayers.size(), name.data() + name.size(), layer);
  return layer;
}

}  // namespace

GradientExchange::GradientExchange(ParameterMap& parameters, Comm& comm, at::ScalarType wire,
                                   int64_t group_bytes)
    : state_(std::make_shared<State>()) {
  state_->comm = &comm;
  state_->wire = wire;
  if (comm.size() == 1) return;
  std::vector<std::pair<int64_t, ParameterMap::iterator>> order;
  for (auto it = parameters.begin(); it != parameters.end(); ++it) {
    if (it->second.requires_grad()) order.emplace_back(-place_of(it->first), it);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  int64_t bytes = group_bytes;
  for (const auto& [place, entry] : order) {
    const auto size = static_cast<int64_t>(entry->second.nbytes());
    if (bytes + size > group_bytes) {
      state_->groups.emplace_back();
      bytes = 0;
    }
    state_->groups.back().parameters.push_back(entry->second);
    bytes += size;
    torch::autograd::impl::set_post_acc_grad_hooks(
        entry->second, std::make_unique<State::Hook>(state_, state_->groups.size() - 1));
  }
}

GradientExchange::~GradientExchange() = default;

void GradientExchange::arm() {
  for (State::Group& group : state_->groups) group.missing = group.parameters.size();
  state_->next = 0;
  state_->armed = true;
}

double GradientExchange::finish() {
  State& s = *state_;
  const auto start = std::chrono::steady_clock::now();
  if (!s.armed) arm();
  s.armed = false;
  for (; s.next < s.groups.size(); ++s.next) s.begin(s.groups[s.next]);
  at::NoGradGuard no_grad;
  for (State::Group& group : s.groups) {
    group.wait();
    int64_t first = 0;
    for (at::Tensor& parameter : group.parameters) {
      at::Tensor grad = parameter.grad();
      grad.copy_(group.flat.slice(0, first, first + grad.numel()).view(grad.sizes()));
      first += grad.numel();
    }
    if (group.lacks) State::forget_what_nobody_made(group, group.flat.slice(0, first));
    group.flat = at::Tensor();
    group.wait = nullptr;
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace kani::train
