// weight_average.cc - see weight_average.h.
#include "kani/train/weight_average.h"

#include <cstdio>

#include "kani/train/model_files.h"

namespace kani::train {

namespace fs = std::filesystem;

std::string average_file(int rank, int size) {
  char name[64];
  std::snprintf(name, sizeof name, "ema-%05d-of-%05d.safetensors", rank, size);
  return name;
}

WeightAverage::WeightAverage(const ParameterMap& parameters, const AdamW& optimizer, Comm* comm,
                             double decay)
    : parameters_(parameters), optimizer_(optimizer), comm_(comm), decay_(decay) {
  for (const auto& [name, parameter] : parameters) {
    if (parameter.requires_grad() && optimizer.owns(name))
      owned_[name] = parameter.detach().to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  }
}

void WeightAverage::update(bool follows) {
  at::NoGradGuard no_grad;
  for (auto& [name, mean] : owned_) {
    const at::Tensor now = parameters_.find(name)->second.detach();
    if (follows) {
      mean.copy_(now);
    } else {
      mean.lerp_(now.to(at::kFloat), 1 - decay_);
    }
  }
}

void WeightAverage::restore(const fs::path& folder) {
  // Until 2026-11 the first process wrote all of it into one file, "ema.safetensors".
  if (!restore_shares(owned_, folder, "ema")) update(/*follows=*/true);
}

ParameterMap WeightAverage::whole() const {
  at::NoGradGuard no_grad;
  ParameterMap out = owned_;
  for (int rank = 0; comm_ != nullptr && comm_->size() > 1 && rank < comm_->size(); ++rank) {
    std::vector<at::Tensor> share;
    for (const auto& [name, parameter] : parameters_) {
      if (!parameter.requires_grad() || optimizer_.owner(name) != rank) continue;
      if (rank != comm_->rank())
        out[name] = at::empty(parameter.sizes(),
                              parameter.options().dtype(at::kFloat).requires_grad(false));
      share.push_back(out[name]);
    }
    comm_->broadcast(share, rank);
  }
  return out;
}

}  // namespace kani::train
