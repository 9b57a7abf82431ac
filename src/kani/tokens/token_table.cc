// token_table.cc - linear probing over hashes of eight bytes at a time.
#include "kani/tokens/token_table.h"

#include <bit>
#include <cassert>
#include <cstring>

#include "kani/base/random.h"

namespace kani {
namespace {

template <typename Word>
uint64_t load(const char* at) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

uint64_t hash_of(std::string_view bytes) noexcept {
  const char* at = bytes.data();
  const size_t length = bytes.size();
  uint64_t hash = length;
  if (length >= 8) {
    for (size_t i = 0; i + 8 < length; i += 8) hash = splitmix64(hash ^ load<uint64_t>(at + i));
    return splitmix64(hash ^
                      load<uint64_t>(at + length - 8));  // the last word may overlap the one before
  }
  if (length >= 4)
    return splitmix64((hash << 60) ^ (load<uint32_t>(at) << 32) ^ load<uint32_t>(at + length - 4));
  for (size_t i = 0; i < length; ++i) hash = (hash << 8) | static_cast<unsigned char>(at[i]);
  return splitmix64(hash);
}

}  // namespace

TokenTable::TokenTable(size_t size, size_t searchable)
    : entries_(size), slots_(std::bit_ceil(2 * searchable + 1)) {}

void TokenTable::set(int32_t id, std::string_view bytes) {
  Entry& entry = entries_[static_cast<size_t>(id)];
  assert(entry.length == 0 && !bytes.empty());
  entry = {static_cast<uint32_t>(texts_.size()), static_cast<uint32_t>(bytes.size())};
  texts_.append(bytes);
}

bool TokenTable::make_searchable(int32_t id) {
  const std::string_view text = bytes(id);
  const auto hash = static_cast<uint32_t>(hash_of(text));
  const size_t mask = slots_.size() - 1;
  size_t place = hash & mask;
  for (; slots_[place].id >= 0; place = (place + 1) & mask) {
    if (slots_[place].hash == hash && bytes(slots_[place].id) == text) return false;
  }
  slots_[place] = {hash, id};
  return true;
}

int32_t TokenTable::find(std::string_view text) const noexcept {
  const auto hash = static_cast<uint32_t>(hash_of(text));
  const size_t mask = slots_.size() - 1;
  for (size_t place = hash & mask; slots_[place].id >= 0; place = (place + 1) & mask) {
    if (slots_[place].hash == hash && bytes(slots_[place].id) == text) return slots_[place].id;
  }
  return -1;
}

}  // namespace kani
