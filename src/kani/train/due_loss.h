// due_loss.h - the loss over what may stand at a place instead of over all ids: after a code of one
// codebook comes one of the next, so three quarters of the head's rows are beside the point.
// Not here: the loss over all of them (ops.h).
#pragma once

#include <vector>

#include "kani/tokens/layout.h"
#include "kani/train/ops.h"
#include "kani/train/sequence.h"

namespace kani::train {

/// As cross_entropy() of ops.h, but each target's softmax is over its codebook alone; where a code
/// of the first is due, over all ids up to its last, so that speech can end; where the target is an
/// id behind the codes, over all.  Rules apply to these rows.  targets: N ids, kNoTarget = none.
/// Nothing teaches what is not due to stay small: for a model that knows it already, and whose
/// sampler takes no other ids.
LossResult due_cross_entropy(const at::Tensor& hidden, const at::Tensor& head,
                             const std::vector<int64_t>& targets, double scale, int64_t chunk,
                             const TokenLayout& layout, const LossRules& rules = {});

}  // namespace kani::train
