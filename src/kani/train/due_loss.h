// due_loss.h - the loss of a code over what may stand at its place instead of over all ids: after a
// code of one codebook comes one of the next, so most of the head's rows are beside the point.
// Source: training.md 14.3; what may stand where is what the runtime's sampler chooses from.
// Not here: the loss over all of them (ops.h).
#pragma once

#include <vector>

#include "kani/tokens/layout.h"
#include "kani/train/ops.h"
#include "kani/train/sequence.h"

namespace kani::train {

/// As cross_entropy() of ops.h, but the softmax of a code is over its codebook alone, that of a
/// code of the first and of END_OF_SPEECH over the first codebook and END_OF_SPEECH; that of text
/// and other control ids is over all ids.  Rules apply to these rows.  targets: N ids, kNoTarget =
/// none. Nothing teaches what is not due to stay small: for a model that knows it already, and
/// whose sampler takes no other ids.
LossResult due_cross_entropy(const at::Tensor& hidden, const at::Tensor& head,
                             const std::vector<int64_t>& targets, double scale, int64_t chunk,
                             const TokenLayout& layout, const LossRules& rules = {});

}  // namespace kani::train
