// tokenizer_files.h - a tokenizer.json in LFM2's form, and its tokenizer_config.json: special
// tokens, the 256 byte symbols, then merges.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace kani::tool {

/// <|pad|>, <|startoftext|>, <|endoftext|>: ids 0, 1, 2, as the layout of prompts has them.
inline constexpr size_t kSpecialEntries = 3;
inline constexpr size_t kByteEntries = 256;

/// Writes both files into a folder that is there; `special` entries (three and reserved ones) come
/// first.  Parts of merges are bytes.  Returns the number of entries, which is less than all
/// together if two merges make the same text.  Throws Error(kCannotWrite).
size_t write_tokenizer(const std::filesystem::path& folder, size_t special,
                       const std::vector<std::pair<std::string, std::string>>& merges);

}  // namespace kani::tool
