// safetensors_index.h - model.safetensors.index.json: which tensor lies in which shard.  Not a
// public header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kani {

inline constexpr uint64_t kMaxSafetensorsIndex = 16 << 20;  // bytes; about 100,000 tensors
inline constexpr size_t kMaxShards = 4096;

struct SafetensorsIndex {
  // Shard (a plain file name: no folder, no "..") -> its tensors, sorted by name.
  std::map<std::string, std::vector<std::string>> shards;
  std::optional<uint64_t> total_size;  // bytes of all tensors, where the index tells
};

/// Throws Error(kBadInput, "<where>: …").
SafetensorsIndex parse_safetensors_index(std::string_view text, std::string_view where);

}  // namespace kani
