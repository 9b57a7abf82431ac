// eval_sounds.h - where the sounds that are judged come from: spoken, taken from a folder, or
// passed through the codec; each under OUT/sounds/, made once.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/kani/eval_journal.h"
#include "apps/kani/eval_options.h"
#include "apps/kani/voice_lookup.h"
#include "kani/codec.h"
#include "kani/eval/evaluation.h"

namespace kani::cli {

/// One thread at a time.
class EvalSounds {
 public:
  /// Loads what is needed.  Throws as Engine and CodecRoundTrip do.
  EvalSounds(const EvalOptions& options, EvalJournal& journal);

  /// What tells these sounds from others: for eval.json.
  const Json& settings() const { return settings_; }

  struct Made {
    std::optional<SpeechTimes> times;  // of speech
    bool before = false;               // by an earlier run
  };
  /// Makes the sentence's sound, or finds that it is there.  Throws Error(kNotFound) for a missing
  /// recording, Error(kCancelled), and as speaking does, with the sentence's id.
  Made make(const EvalSentence& sentence, const std::filesystem::path& sound);

 private:
  Made speak(const EvalSentence& sentence, const std::filesystem::path& sound);
  void take(const EvalSentence& sentence, const std::filesystem::path& sound);
  void set_default_voice(const ModelInfo& info);
  /// Whether the voice is that of the sentence's reference.
  bool clones(const EvalSentence& sentence) const;
  /// All but the voice of a reference, which takes a while.
  SpeechRequest plain_request(const EvalSentence& sentence);
  /// The voice by its numbers; of a reference by its bytes and the encoder's files.
  Json voice_key(const EvalSentence& sentence, const SpeechRequest& request);
  VoiceEncoder& encoder();
  const Voice& voice_of(const std::vector<std::filesystem::path>& recordings);

  const EvalOptions& options_;
  EvalJournal& journal_;
  Json settings_, made_by_;  // made_by_: what a sound hangs on beside its sentence and voice
  Json default_voice_, encoder_files_;  // as keys have them; null = none, not looked at yet
  std::unique_ptr<Engine> engine_;
  std::optional<VoiceLookup> lookup_;
  std::unique_ptr<CodecRoundTrip> codec_;
  std::unique_ptr<VoiceEncoder> encoder_;
  std::map<std::string, Voice> cloned_;
};

/// The recordings of one voice, as an encoder for this model is asked for.
VoiceEncoderOptions eval_encoder_options(const EvalOptions& options);

/// ID.wav of a folder.  Throws Error(kNotFound) with the sentence.
std::filesystem::path recording_of(const std::string& folder, const EvalSentence& sentence);

}  // namespace kani::cli
