// codebook_sums.cc - see codebook_sums.h.
#include "kani/train/codebook_sums.h"

namespace kani::train {

CodebookSums::CodebookSums(const TokenLayout& layout)
    : layout_(layout), sums_(2 * static_cast<size_t>(layout.codebooks)) {}

void CodebookSums::add(const PackedBatch& batch, const at::Tensor& per_token) {
  const at::Tensor losses = per_token.cpu();
  const float* loss = losses.const_data_ptr<float>();
  for (size_t n = 0; n < batch.targets.size(); ++n) {
    const int64_t place = batch.targets[n] - layout_.audio_start;
    const int64_t book = place < 0 ? -1 : place / layout_.codebook_size;
    if (book < 0 || book >= layout_.codebooks) continue;
    sums_[2 * static_cast<size_t>(book)] += static_cast<double>(loss[n]);
    sums_[2 * static_cast<size_t>(book) + 1] += 1;
  }
}

std::vector<double> CodebookSums::means(Comm& comm) {
  comm.sum(sums_);
  std::vector<double> out;
  for (size_t i = 0; i < sums_.size(); i += 2)
    out.push_back(sums_[i + 1] == 0 ? 0 : sums_[i] / sums_[i + 1]);
  return out;
}

}  // namespace kani::train
