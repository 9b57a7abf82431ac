// voice_file.h - speaker embeddings on disk: our safetensors form, .pt (read without executing anything), .npy, .json.
// Source: interfaces.md 8.4, language-model.md 11.  Values are used as they are, never renormalized.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/base/numbers.h"

namespace kani {

struct VoiceFile {
  std::vector<float> values;      // finite; length as in the file
  DType stored_dtype = DType::kF32;
  std::vector<uint64_t> stored_shape;
  std::string format;             // "safetensors", "pt", "npy", "json"
  std::map<std::string, std::string> metadata;  // name, language, consent, … where the format has them
};

/// Reads any of the four formats, told apart by content, not by name.  Any vector length from 1 to 4096 is returned;
/// the caller compares it with the model's.  Throws Error(kNotFound, kBadInput) in one line, with a hint where a
/// conversion helps.
VoiceFile read_voice_file(const std::filesystem::path& path);
VoiceFile parse_voice(std::span<const std::byte> bytes, const std::filesystem::path& name);

/// Writes our safetensors form (tensor `speaker_emb` F32 [n], metadata as given plus format=kani-voice-1), atomically.
void write_voice_safetensors(const std::filesystem::path& path, std::span<const float> values,
                             const std::map<std::string, std::string>& metadata);

}  // namespace kani
