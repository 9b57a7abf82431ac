// say_options.h - the flags of `kani say` (interfaces.md 2.2) and what they mean together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/kani/common_flags.h"

namespace kani::cli {

enum class Markdown { kAuto, kStrip, kKeep };

struct SayOptions {
  ModelOptions model;
  SamplingOptions sampling;

  std::vector<std::string> text;         // arguments, joined with spaces
  std::vector<std::string> input_files;  // "-" = stdin
  bool lines = false;
  bool json_input = false;

  std::string output_file;  // "-" = stdout
  std::string output_dir;
  bool output_raw = false;
  bool play = false;
  bool stream = false;
  bool no_tags = false;
  std::optional<int> sample_rate_hz;
  std::string srt, vtt, timestamps;  // files; empty = none

  std::string voice;  // name, path or mix; "random" = none at all; empty = the model's default
  std::vector<std::string> recordings;  // of the voice instead
  std::vector<std::string> voices;      // folders that are searched before all others

  EngineOptions engine() const;
  std::string language;
  std::optional<double> speed, length_scale;
  std::optional<double> sentence_silence_s;
  std::optional<int> batch;
  std::optional<double> volume;
  std::string markdown = "auto";
  bool no_text_normalization = false;
  bool no_normalize = false;
  bool strict = false;

  double effective_speed() const { return length_scale ? 1 / *length_scale : speed.value_or(1.0); }
  Markdown markdown_rule() const;
  int effective_batch() const;
  bool wants_timings() const { return !srt.empty() || !vtt.empty() || !timestamps.empty(); }
};

void define_say(FlagSet& flags, SayOptions& options);

/// Refuses what does not go together or cannot work, before anything is loaded.  Throws
/// Error(kInvalidArgument, kCannotWrite).
void check_say(const SayOptions& options);

}  // namespace kani::cli
