// voice_parts.h - limits, and the readers of the four kinds of voice file.  Each checks its
// container completely; parse_voice() then checks the vector itself (length, finite numbers).  All
// throw Error(kBadInput, "<where>: …").  Not a public header.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "kani/formats/voice_file.h"

namespace kani {

inline constexpr uint64_t kMaxVoiceBytes = 1 << 20;  // of a file; honest ones have 1 to 3 KB
inline constexpr size_t kMaxVoiceLength = 4096;      // numbers
inline constexpr std::string_view kVoiceTensor = "speaker_emb";  // of our safetensors form

VoiceFile parse_voice_safetensors(std::span<const std::byte> bytes, const std::string& where);
VoiceFile parse_voice_pt(std::span<const std::byte> bytes, const std::string& where);
VoiceFile parse_voice_npy(std::span<const std::byte> bytes, const std::string& where);
VoiceFile parse_voice_json(std::span<const std::byte> bytes, const std::string& where);

/// Numbers in `shape`: [n], [1, n] or [1, 1, n] with n from 1 to 4096, at most `max_rank` sizes.
/// Throws Error(kBadInput) for others.
size_t voice_length(std::span<const uint64_t> shape, size_t max_rank, const std::string& where);

}  // namespace kani
