// eval_options.h - the flags of `kani eval` and what they mean together.  docs/evaluation.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/kani/common_flags.h"

namespace kani::cli {

struct EvalOptions {
  ModelOptions model;
  SamplingOptions sampling;

  std::string sentences;  // file
  std::string out;        // folder
  std::optional<int> limit;
  std::string sounds;   // folder: judged instead of speaking
  std::string teacher;  // folder: judged beside
  bool codec_only = false;

  std::string voice, language;
  std::vector<std::string> recordings, voices;
  bool no_text_normalization = false;
  bool no_speaker = false;

  std::optional<std::string> recognizer, recognizer_batch;  // at most one
  std::optional<int> jobs;
  std::optional<double> timeout_s;

  std::optional<double> max_wer, max_wer_over_teacher, max_faulty, min_own_speaker;

  bool speaks() const { return sounds.empty(); }
  uint64_t seed() const { return sampling.seed.value_or(1); }
  /// Words of the recognizer's command; empty = nobody listens.
  std::vector<std::string> recognizer_command() const;
  EngineOptions engine() const;
};

void define_eval(FlagSet& flags, EvalOptions& options);

/// Refuses what does not go together, before anything is loaded.  Throws Error(kInvalidArgument,
/// kNotFound).
void check_eval(const EvalOptions& options);

}  // namespace kani::cli
