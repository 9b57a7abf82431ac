// voice_file.h - speaker embeddings on disk: our safetensors form, .pt (read without executing
// anything), .npy, .json.
// Source: interfaces.md 8.4, language-model.md 11.  Values are used as they are, never
// renormalized.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/base/file.h"
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

enum class VoiceFormat { kSafetensors, kPt, kNpy, kJson };

/// "safetensors", "pt", "npy", "json": also the file's ending.
std::string_view voice_format_name(VoiceFormat format);
/// The format of such a name (in lower case), or nothing.
std::optional<VoiceFormat> voice_format_of(std::string_view name);

/// A voice as the bytes of a file:
///   .safetensors  tensor `speaker_emb` F32 [n], metadata as given plus format=kani-voice-1
///   .json         {"embedding": [n numbers], …metadata, "format": "kani-voice-1"}, read back as
///                 the same float32
///   .pt           what torch.save writes for a float32 tensor [n]; it has no room for metadata
///   .npy          '<f4' [n], likewise
/// Throws Error(kInvalidArgument) for values that could not be read back: none or more than 4096,
/// not finite, all zero; and for metadata that is not UTF-8 or too long.
std::string voice_bytes(VoiceFormat format, std::span<const float> values,
                        const std::map<std::string, std::string>& metadata);

/// The same into a file, atomically.  Throws Error(kCannotWrite), too.
void write_voice(const std::filesystem::path& path, VoiceFormat format,
                 std::span<const float> values, const std::map<std::string, std::string>& metadata,
                 AtomicFile::Access access = AtomicFile::Access::kUsual);

}  // namespace kani
