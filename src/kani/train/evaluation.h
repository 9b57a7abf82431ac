// evaluation.h - what a model makes of clips that it was not trained on: losses by kind, language,
// length and place, upstream's figures, ends of speech.  Source: training.md 10, 14.7.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kani/train/clip_set.h"
#include "kani/train/comm.h"
#include "kani/train/lfm2_module.h"
#include "kani/train/metrics.h"

namespace kani::train {

struct EvalReport {
  int64_t update = 0;
  bool complete = true;               // false: stopped, and nothing else is told
  double loss = 0;                    // mean over targets, nats
  std::optional<double> full_loss{};  // where `loss` and all below are due_loss.h's: over all ids
  std::vector<double> codebook_loss;  // by codebook
  double text_loss = 0;
  int64_t targets = 0;
  std::map<std::string, double> language_loss;
  /// Of frames by when they begin: "0s", "2s", "5s", "10s", "20s" and later.
  std::map<std::string, double> place_loss;
  /// Of all targets by how long the clip is, the same classes.
  std::map<std::string, double> duration_loss;
  Figures figures;  // of CodebookMetrics
};

struct EvalRules {
  SequenceRules sequence;
  int64_t loss_chunk = 2048;
  bool due = false;  // losses as due_loss.h has them
  double frames_per_second = 12.5;
  /// Asked every few clips; true on any process ends the measuring on all.
  std::function<bool()> stop{};
  /// Told every few clips how many of them are done.
  std::function<void(size_t done)> progress{};
};

/// Every clip alone, so that the numbers do not depend on how clips are packed; of several
/// processes each takes its share, and all get the same report.  Without gradients.  Throws
/// Error(kBadInput) naming a clip that cannot be read or does not fit the model.
EvalReport evaluate_clips(const Lfm2Module& model, const ClipSet& clips, const TokenLayout& layout,
                          const EvalRules& rules, Comm& comm);

/// Figures that take a pass of their own, over the first `most` clips: attention_variance() under
/// "variance_…" (means over all elements of these clips, then mean, least and most of the layers),
/// token_influence() as it is named.
Figures analyze_clips(const Lfm2Module& model, const ClipSet& clips, const TokenLayout& layout,
                      const EvalRules& rules, size_t most);

/// Names and values of a report as a log has them: "eval_loss", "eval_codebook_0_loss",
/// "eval_full_loss", "eval_language_en_loss", …, "eval_metrics/layer_0_ppl".
Figures eval_figures(const EvalReport& report, const std::string& prefix = "eval_");

}  // namespace kani::train
