// random_tokenizer.cc - merges of lower-case letters (pairs, pairs with a letter, pairs with
// pairs), so that English text takes about as many ids as with the real vocabulary.  Not a trained
// tokenizer.
#include <string>
#include <vector>

#include "kani/base/error.h"
#include "random_model.h"
#include "tokenizer_files.h"

namespace kani::tool {
namespace {

// `count` merges, every one of parts that exist before it.
std::vector<std::pair<std::string, std::string>> made_up_merges(size_t count) {
  const std::string letters = "etaoinshrdlcumwfgypbvkjxqz";
  const std::string space = " ";
  std::vector<std::string> singles, pairs;
  for (const char c : letters) singles.emplace_back(1, c);
  std::vector<std::pair<std::string, std::string>> merges;
  const auto add = [&](const std::string& a, const std::string& b) {
    if (merges.size() < count) merges.emplace_back(a, b);
  };
  for (const std::string& a : singles) add(space, a);
  for (const std::string& a : singles) {
    for (const std::string& b : singles) {
      add(a, b);
      pairs.push_back(a + b);
    }
  }
  for (const std::string& a : pairs) {
    for (const std::string& b : singles) add(a, b);
  }
  for (const std::string& a : pairs) {
    for (const std::string& b : pairs) {
      if (merges.size() >= count) return merges;
      add(a, b);
    }
  }
  return merges;
}

}  // namespace

void write_random_tokenizer(const std::filesystem::path& folder, int entries) {
  // The real vocabulary has 510 special and reserved entries in front of the bytes; small ones have
  // only three.
  const size_t special = entries > 2000 ? 510 : kSpecialEntries;
  const auto count = static_cast<size_t>(entries);
  require(count >= special + kByteEntries, "a tokenizer needs ", special + kByteEntries,
          " entries");
  write_tokenizer(folder, special, made_up_merges(count - special - kByteEntries));
}

}  // namespace kani::tool
