// voice_lookup.h - the voice of each text: asked for by name, or the one of --ref.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "kani/kani.h"

namespace kani::cli {

/// Keeps voices that were asked for before: with --json-input each line names one.
class VoiceLookup {
 public:
  explicit VoiceLookup(const Engine& engine) : engine_(engine) {}

  /// What "" stands for from now on.
  void set_default(Voice voice) { default_ = std::move(voice); }
  /// Sets the request's voice.  "" leaves the model's default, "random" is no voice at all.  Throws
  /// Error(kNotFound, kBadInput, kInvalidArgument).
  void set(SpeechRequest& request, const std::string& name);

 private:
  const Engine& engine_;
  std::optional<Voice> default_;
  std::map<std::string, Voice> found_;
};

}  // namespace kani::cli
