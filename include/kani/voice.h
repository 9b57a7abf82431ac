// voice.h - voices as callers handle them: made from recordings, found by name, mixed, kept,
// written for other programs.
//
//   kani::VoiceEncoder encoder({});
//   kani::ClonedVoice cloned = encoder.clone({"anna1.wav", "anna2.wav"});
//   cloned.voice.name = "anna";
//   kani::VoiceLibrary({}).add(cloned.voice, {});
//
// A voice is a speaker embedding.  It is used as it is, never renormalized: the mean of several
// recordings is shorter than 1, and the model was trained on such means.  Neither recordings nor
// embeddings ever go to the log.  Every failure is a kani::Error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/base/cancel.h"
#include "kani/base/error.h"

namespace kani {

/// A speaker: as many numbers as the model asks for (128).
struct Voice {
  std::string name{};  // identifier; of a voice from a file outside of all folders the file's stem
  std::vector<float> values{};
  std::string language{};
  std::filesystem::path path{};  // where it came from
  /// What the file says of it: name (for people), description, created, encoder, encoder_sha256,
  /// source_sha256, source_seconds, consent, consent_date.
  std::map<std::string, std::string> details{};
};

// ---- from recordings

struct VoiceEncoderOptions {
  /// Folder with config.json and model.safetensors, or user/repo in the hub's cache.  Empty:
  /// speaker/ of the model's set or beside the model, else nineninesix/speaker-emb-tbr or
  /// Orange/Speaker-wavLM-tbr in the hub's cache.
  std::filesystem::path encoder{};
  std::filesystem::path model{};  // empty = default_model_path(), if there is one
  size_t voice_length = 0;        // what the model takes; 0 = what the model's config.json says
  int threads = 0;                // as EngineOptions
  std::string device = "auto";
  std::string isa{};
  bool reduced_precision = false;  // 13-bit factors: quicker, the same to a cosine of 0.9999
  double max_seconds = 30;         // of each recording; the rest is not looked at.  1 … 600
  bool record_origin = true;       // hashes of weights and recordings in Voice::details
};

/// What a recording is like: to be shown to whoever made it.
struct RecordingReport {
  std::string file{};
  double seconds = 0;  // of what was used
  bool cut = false;    // there was more
  int rate_hz = 0;
  int channels = 1;
  double peak_db = 0;            // dBFS
  double clipped_share = 0;      // of the samples
  double noise_floor_db = 0;     // dBFS
  double noise_distance_db = 0;  // how far the noise is below the voice
  double speech_share = 0;       // of the time
  std::string sha256{};          // of the file; empty without record_origin
  std::vector<std::string> warnings{};
};

struct ClonedVoice {
  Voice voice{};  // without a name
  std::vector<RecordingReport> recordings{};
  std::vector<std::string> warnings{};  // that concern several recordings
  /// Of the two recordings that are least alike; absent for a single one.
  std::optional<double> lowest_cosine{};
};

/// Makes voices from recordings.  The weights are loaded at the first one and let go with the
/// object.  One thread at a time (it owns compute threads).
class VoiceEncoder {
 public:
  /// Finds the encoder and reads its configuration.  Throws Error(kNotFound) with a hint if there
  /// is none, Error(kBadInput) for a broken one and for one whose voices have another length than
  /// the model takes, Error(kInvalidArgument) for options out of range.
  explicit VoiceEncoder(const VoiceEncoderOptions& options);
  VoiceEncoder(VoiceEncoder&&) noexcept;
  VoiceEncoder& operator=(VoiceEncoder&&) noexcept;
  ~VoiceEncoder();

  /// The voice of 1 to 100 sound files (WAV, FLAC, MP3, Ogg Vorbis or Opus; up to 8 channels, 8 to
  /// 192 kHz): the plain mean of their unit vectors.  Throws Error(kNotFound), Error(kBadInput) for
  /// what is no sound, silent or shorter than 45 ms, Error(kCancelled, kOutOfMemory).
  ClonedVoice clone(const std::vector<std::filesystem::path>& recordings,
                    const CancelToken* cancel = nullptr);
  /// The same of mono samples, full scale 1.
  ClonedVoice clone(std::span<const float> samples, int rate_hz,
                    const CancelToken* cancel = nullptr);

  const std::filesystem::path& folder() const;
  size_t voice_length() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// ---- by name

enum class VoicePlace { kFolder, kSet, kUser, kSystem };
/// "folder", "model", "user", "system".
std::string_view voice_place_name(VoicePlace place);

struct VoiceEntry {
  std::string name{};  // identifier: [A-Za-z0-9][A-Za-z0-9._-]{0,63}, compared without case
  std::filesystem::path path{};
  std::string display_name{};  // for people; the identifier if the file has none
  std::string language{}, description{};
  VoicePlace place = VoicePlace::kFolder;
  size_t length = 0;  // numbers; 0 = the file cannot be read as a voice
};

struct VoiceLibraryOptions {
  /// Whose set's voices/ belong to it.  Empty = default_model_path(), if there is one.
  std::filesystem::path model{};
  /// Searched before all others, the first one first.
  std::vector<std::filesystem::path> folders{};
  size_t voice_length = 0;  // as in VoiceEncoderOptions
};

/// The voices in folders: those given, of the model's set, of the user
/// ($XDG_DATA_HOME/kani/voices), of the system (/usr/share/kani/voices); of two with one identifier
/// the first counts.  Names are looked up in a table made when the object is, and made anew by
/// add() and remove(); they are never joined to a path.  Reading is thread-safe.
class VoiceLibrary {
 public:
  /// Throws Error(kNotFound) for a folder of `options` that cannot be read.  At most 10,000 voices
  /// are listed.
  explicit VoiceLibrary(const VoiceLibraryOptions& options);

  const std::vector<VoiceEntry>& entries() const { return entries_; }
  /// What is used when no voice is asked for: "default" of the model's set, or its only voice; "" =
  /// none.
  const std::string& default_voice() const { return default_; }
  /// By identifier, name for people, name in a folder's speaker_map.json, and OpenAI's 13 names, in
  /// this order.  Which voices those stand for is told by a folder's openai_voices.json; the others
  /// are spread over the voices at hand.  nullptr if there is none.
  const VoiceEntry* find(std::string_view name) const;

  /// A voice by its name or, if there is no such voice, by the path of its file; or a mix of such:
  /// "a(0.7)+b(0.3)", the mean of the voices with these weights.  Throws Error(kNotFound,
  /// kBadInput); the latter also for another length than the model takes; Error(kInvalidArgument)
  /// for a malformed mix, with the place.
  Voice load(const std::string& voice) const;
  /// The same without paths, for names that come from strangers.
  Voice load_named(const std::string& voice) const;

  /// Where add() and remove() work: the first folder of the options, else the user's.
  const std::filesystem::path& home() const { return home_; }
  struct AddOptions {
    bool replace = false;                             // a voice with this name that is there
    std::vector<std::filesystem::path> recordings{};  // to be kept beside it, in NAME.recordings/
  };
  /// Refuses a voice of another length than the model takes: Error(kBadInput) with both.
  void check_length(const Voice& voice) const;
  /// What add() would refuse about the name, before the work of making the voice.
  void check_new(std::string_view name, bool replace) const;
  /// Writes voice.name as a file that only its owner may read, and returns its path.  Throws
  /// Error(kInvalidArgument) for a name that is no identifier, Error(kCannotWrite) also if the
  /// voice is there or would be hidden by one of the model.
  std::filesystem::path add(const Voice& voice, const AddOptions& options);
  /// Removes all files of the voice and its recordings; returns their names.  Throws
  /// Error(kNotFound), Error(kCannotWrite) for voices elsewhere.
  std::vector<std::filesystem::path> remove(std::string_view name);

 private:
  void scan();
  void add_folder(const std::filesystem::path& folder, VoicePlace place);
  void add_mapped(const std::filesystem::path& folder, VoicePlace place);
  void add_openai_names(const std::filesystem::path& folder);
  const VoiceEntry* find_own(std::string_view name) const;
  const VoiceEntry* find_openai(std::string_view name) const;
  std::optional<Voice> load_single(const std::string& voice, bool paths) const;
  Voice load_any(const std::string& voice, bool paths) const;
  Voice load_mix(const std::string& mix, bool paths) const;
  Error no_such_voice(const std::string& voice) const;

  VoiceLibraryOptions options_;
  std::filesystem::path set_;  // empty = none
  std::filesystem::path home_;
  std::vector<VoiceEntry> entries_;
  std::map<std::string, size_t> ids_;            // in lower case; index of the entry
  std::map<std::string, size_t> display_names_;  // as they are; the first voice of that name
  std::map<std::string, size_t> aliases_;
  std::map<std::string, std::string> openai_;  // OpenAI's name: what it stands for
  std::string default_;
};

/// Voices of `model`, the user and the system.
std::vector<VoiceEntry> list_voices(const std::filesystem::path& model);

/// The identifier of a voice that a person calls `name`: "My voice" becomes "my-voice".  Throws
/// Error(kInvalidArgument) for what cannot be one, and for "random".
std::string voice_id_of(std::string_view name);

// ---- files

/// A voice's file as it is, without a library: .safetensors, .pt, .npy, .json, told apart by
/// content.  Throws Error(kNotFound, kBadInput).
Voice read_voice(const std::filesystem::path& path);
/// The bytes of a file in `format`: "safetensors", "pt", "npy" or "json"; only the first and the
/// last hold Voice::details.  Throws Error(kInvalidArgument).
std::string voice_file_bytes(const Voice& voice, std::string_view format);
/// Writes it, all at once; the format from the file's ending.  Throws Error(kInvalidArgument,
/// kCannotWrite).
void save_voice(const Voice& voice, const std::filesystem::path& path);

struct ForeignVoice {
  std::string display_name{};
  std::filesystem::path path{};
};
/// Voices in a folder of another program: those of its speaker_map.json, then other files of voices
/// in the folder itself.  Throws Error(kNotFound) if it cannot be read, Error(kBadInput) for a
/// broken map.
std::vector<ForeignVoice> foreign_voices(const std::filesystem::path& folder);

}  // namespace kani
