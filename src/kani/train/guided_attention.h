// guided_attention.h - a hint, at the start of a run, that speech follows its text: a penalty on
// where the first head of the attention layers from the second on looks while it speaks (after
// Tachibana et al. 2017).  Attention that is on the text costs 1 - exp(-(f - t)^2 / 2 w^2), f and t
// being how far the speech and the text are, 0 to 1; attention elsewhere costs kElsewhere, or the
// head would look away.  The mean over audio positions and layers falls from about 0.6 to 0.2 once
// the alignment is there.
// The weights of attention are computed for these heads alone, and only while the penalty is on;
// the rest runs fused as ever.
#pragma once

#include <cstdint>
#include <vector>

#include "kani/spec/lfm2.h"
#include "kani/train/guide_settings.h"
#include "kani/train/sequence.h"
#include "kani/train/torch.h"

namespace kani::train {

/// Collects the penalty of a forward pass.
class AttentionGuide {
 public:
  static constexpr double kElsewhere = 0.6;

  /// Throws Error(kInvalidArgument) for a model with fewer than two attention layers.
  AttentionGuide(const Lfm2Config& config, double width, const std::vector<Speech>& speech);

  bool guides(int layer) const;
  /// q [N, heads, D], k [N, kv_heads, D] of such a layer, normed and turned.
  void look_at(const at::Tensor& q, const at::Tensor& k);
  /// Sum over audio positions of their mean over layers; a scalar that wants gradients.  Undefined
  /// before a layer was looked at.
  const at::Tensor& penalty() const { return penalty_; }

  /// Audio positions of a batch: what the mean is over.
  static int64_t positions(const std::vector<Speech>& speech);

 private:
  const at::Tensor& costs(size_t document, const at::Tensor& like);

  std::vector<int> layers_;
  double width_;
  const std::vector<Speech>& speech_;
  std::vector<at::Tensor> costs_;  // [speech, elements] of each document
  at::Tensor penalty_;
};

}  // namespace kani::train
