// voice_files.h - what the parts of VoiceLibrary share: files of voices with their texts, and what
// is known of the model that they are for.  Not a public header.
#pragma once

#include <filesystem>
#include <string>

#include "kani/voice.h"

namespace kani {

/// An identifier with the ending of a voice file, and not one of the two files of names.
bool is_voice_file_name(const std::filesystem::path& path);

/// Reads the file for its texts and length; what cannot be read has length 0.
VoiceEntry describe_voice_file(const std::string& id, const std::filesystem::path& path,
                               VoicePlace place);

/// As read_voice(), and compares the length unless `expected` is 0.  Throws Error(kNotFound,
/// kBadInput).
Voice load_voice_file(const std::filesystem::path& path, size_t expected);

/// Refuses a voice of another length than `expected`, unless that is 0: Error(kBadInput) with both.
void check_voice_length(const std::filesystem::path& path, size_t length, size_t expected);

struct KnownModel {
  std::filesystem::path set;       // folder that may hold voices/ and speaker/; empty = none
  std::filesystem::path language;  // the language model's folder; empty = none
  size_t voice_length = 0;         // 0 = not known
};
/// `model` empty = the default model if there is one.  `voice_length` 0 = read it from config.json.
/// Throws Error for a model that is named and cannot be found or read.
KnownModel known_model(const std::filesystem::path& model, size_t voice_length);

}  // namespace kani
