// codebook_sums.h - losses of an update by codebook.
#pragma once

#include <vector>

#include "kani/tokens/layout.h"
#include "kani/train/comm.h"
#include "kani/train/sequence.h"

namespace kani::train {

class CodebookSums {
 public:
  explicit CodebookSums(const TokenLayout& layout);

  /// per_token [N], of the batch's targets.
  void add(const PackedBatch& batch, const at::Tensor& per_token);
  /// Over the targets of all processes, of each codebook; 0 of one without targets.
  std::vector<double> means(Comm& comm);

 private:
  TokenLayout layout_;
  std::vector<double> sums_;  // sum and count by codebook
};

}  // namespace kani::train
