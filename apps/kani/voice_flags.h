// voice_flags.h - what the commands of `kani voice` share: where voices are looked for and kept.
#pragma once

#include <string>
#include <vector>

#include "apps/kani/flags.h"
#include "kani/voice.h"

namespace kani::cli {

struct VoiceFlags {
  std::string model;                // empty = the default model, if there is one
  std::vector<std::string> voices;  // folders that are searched first; the first one is written to

  VoiceLibrary library() const;
};
void define_voice_flags(FlagSet& flags, VoiceFlags& options);

/// Texts about a voice that are kept in its file.
struct VoiceTexts {
  std::string consent, language, description;
  std::string consent_policy = "note";
  bool force = false;

  /// Refuses blank or overlong texts, and a missing consent where it is required.  Throws
  /// Error(kInvalidArgument).
  void check() const;
  /// Puts them into the voice; `display_name` is what people call it.
  void describe(Voice& voice, const std::string& display_name) const;
};
/// `consent` = for voices that are made of recordings.
void define_voice_texts(FlagSet& flags, VoiceTexts& texts, bool consent);

}  // namespace kani::cli
