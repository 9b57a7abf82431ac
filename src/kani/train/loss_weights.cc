// loss_weights.cc - see loss_weights.h.
#include "kani/train/loss_weights.h"

#include <algorithm>

#include "kani/base/error.h"

namespace kani::train {

LossWeights::LossWeights(const std::map<std::string, double>& by_kind, const TokenLayout& layout)
    : layout_(layout),
      on_(!by_kind.empty()),
      codebooks_(static_cast<size_t>(layout.codebooks), 1.0) {
  for (const auto& [kind, weight] : by_kind) {
    bool known = kind == "text" || kind == "control";
    if (kind == "text") text_ = weight;
    if (kind == "control") control_ = weight;
    for (size_t k = 0; k < codebooks_.size(); ++k) {
      if (kind != concat("codebook_", k)) continue;
      codebooks_[k] = weight;
      known = true;
    }
    require(known, "loss_weights names ", printable(kind),
            ", must be text, control or codebook_0 to codebook_", codebooks_.size() - 1);
  }
  const bool any =
      std::any_of(codebooks_.begin(), codebooks_.end(), [](double w) { return w > 0; });
  require(any || text_ > 0 || control_ > 0, "loss_weights are all 0: nothing would be learnt");
}

double LossWeights::of(int64_t target) const {
  if (target == kNoTarget) return 0;
  const int64_t place = target - layout_.audio_start;
  if (place >= 0 && place / layout_.codebook_size < layout_.codebooks)
    return codebooks_[static_cast<size_t>(place / layout_.codebook_size)];
  return layout_.is_text(static_cast<int32_t>(target)) ? text_ : control_;
}

at::Tensor LossWeights::of(const std::vector<int64_t>& targets) const {
  at::Tensor out = at::empty({static_cast<int64_t>(targets.size())}, at::kFloat);
  float* weight = out.mutable_data_ptr<float>();
  for (const int64_t target : targets) *weight++ = static_cast<float>(of(target));
  return out;
}

double LossWeights::sum(const std::vector<int64_t>& targets) const {
  double out = 0;
  for (const int64_t target : targets) out += of(target);
  return out;
}

}  // namespace kani::train
