// token_table.h - the vocabulary in memory: id to bytes and bytes to id.  All texts lie in one
// string, the index is one flat table with open addressing: about 25 bytes a token besides its
// text, and one cache line for most look-ups.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kani {

/// Filled once, then immutable and thread-safe.
class TokenTable {
 public:
  TokenTable() : TokenTable(0, 0) {}
  /// Ids are 0 to size - 1; at most `searchable` of them will be found by their bytes.
  TokenTable(size_t size, size_t searchable);

  /// Gives an id its bytes (not empty).  The id must be in range and without bytes; all texts
  /// together stay below 4 GiB.
  void set(int32_t id, std::string_view bytes);
  /// Lets find() return `id` for its bytes.  False if another id is already found by the same
  /// bytes.
  bool make_searchable(int32_t id);

  size_t size() const { return entries_.size(); }
  /// Empty for an id that has no text.
  std::string_view bytes(int32_t id) const {
    const Entry& entry = entries_[static_cast<size_t>(id)];
    return std::string_view(texts_).substr(entry.offset, entry.length);
  }
  bool has(int32_t id) const { return entries_[static_cast<size_t>(id)].length > 0; }
  /// -1 if no searchable id has these bytes.
  int32_t find(std::string_view bytes) const noexcept;

 private:
  struct Entry {
    uint32_t offset = 0;
    uint32_t length = 0;
  };
  struct Slot {
    uint32_t hash = 0;
    int32_t id = -1;
  };

  std::string texts_;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;  // a power of two, at most half full
};

}  // namespace kani
