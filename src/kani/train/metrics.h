// metrics.h - what a trained model has learnt, in upstream's figures and under upstream's names, so
// that curves can be laid over each other.  Source: training.md 10.
// Unlike upstream's these see the voice slot and the positions that the model is trained with.
#pragma once

#include <map>
#include <string>

#include "kani/tokens/layout.h"
#include "kani/train/comm.h"
#include "kani/train/lfm2_module.h"

namespace kani::train {

/// Names and values, "layer_0_ppl" … as upstream writes them after "metrics/".
using Figures = std::map<std::string, double>;

/// Sums over any number of batches.
class CodebookMetrics {
 public:
  explicit CodebookMetrics(const TokenLayout& layout);
  /// hidden [N, H] of the batch, before the head.
  void add(const Lfm2Module& model, const PackedBatch& batch, const at::Tensor& hidden);
  /// layer_<k>_ppl, text_ppl, avg_audio_ppl, ppl_variance, ppl_std, ppl_max_diff over all rows of
  /// the head; layer_<k>_slot_ppl over the codebook's own rows, which is what generating uses;
  /// layer_<k>_top1, _top10: share of targets among the most probable.
  Figures perplexity() const;
  /// confusion_<i>_<j>, avg_diagonal, min_diagonal, avg_off_diagonal, max_off_diagonal.
  Figures confusion() const;
  /// end_recall: share of the ends of speech where the end is the most probable token;
  /// false_end_rate: share of the other frames' first codes where it is, which cuts speech short.
  Figures ends() const;
  /// Adds up what all processes have counted.
  void exchange(Comm& comm);

 private:
  struct Sum {
    double loss = 0, slot_loss = 0;
    int64_t top1 = 0, top10 = 0, count = 0;
  };
  struct Ends {
    int64_t ends = 0, found = 0, frames = 0, false_ends = 0;
  };
  int kind_of(int64_t id) const;  // codebook, codebooks() = text, -1 = control

  TokenLayout layout_;
  std::vector<Sum> sums_;                   // by codebook, then text
  std::vector<std::vector<int64_t>> seen_;  // [i][j]
  Ends ends_;
};

/// Per attention layer: variance over the hidden dimension of what the layer adds, mean over the
/// elements: "layer_<l>", and mean, min, max over layers.
Figures attention_variance(const Lfm2Module& model, const PackedBatch& batch);

/// layer_<k>_text_influence, _same_layer_influence, _cross_layer_influence: how much a target of
/// codebook k hangs on which kind of element before it, from the gradient's norm at the embeddings,
/// over at most `most` targets of each codebook, chosen by `seed`.
Figures token_influence(const Lfm2Module& model, const PackedBatch& batch,
                        const TokenLayout& layout, int64_t most = 32, uint64_t seed = 1);

/// rope_alpha/layer_<l>/value, /raw_weight, and mean, min, max, std (of a sample).
Figures rope_figures(const Lfm2Module& model);

}  // namespace kani::train
