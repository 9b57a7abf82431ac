// voice_file.h - speaker embeddings on disk: our safetensors form, .pt (read without executing
// anything), .npy, .json.
// Source: interfaces.md 8.4, language-model.md 11.  Values are used as they are, never
// renormalized.
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
  std::vector<float> values;           // finite, not all zero; length as in the file
  DType stored_dtype = DType::kF32;    // of the first tensor; kF32 for .json
  std::vector<uint64_t> stored_shape;  // of the first tensor
  std::string format;                  // "safetensors", "pt", "npy", "json"
  // Name, language, consent, … where the format has them.
  std::map<std::string, std::string> metadata;
};

/// Reads any of the four formats, told apart by content, not by name.  Any vector length from 1 to
/// 4096 is returned; the caller compares it with the model's.  The file is read whole (at most
/// 1 MiB), not mapped.
/// Throws Error(kNotFound, kBadInput) in one line, with a hint where a conversion helps.
VoiceFile read_voice_file(const std::filesystem::path& path);
/// The same on bytes in memory; nothing in the result refers to them.
VoiceFile parse_voice(std::span<const std::byte> bytes, const std::filesystem::path& name);

/// Writes our safetensors form (tensor `speaker_emb` F32 [n], metadata as given plus
/// format=kani-voice-1), atomically.
/// Throws Error(kCannotWrite); Error(kInvalidArgument) for values that could not be read back.
void write_voice_safetensors(const std::filesystem::path& path, std::span<const float> values,
                             const std::map<std::string, std::string>& metadata);

}  // namespace kani
