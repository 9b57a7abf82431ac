// added_tokens.cc - see the header.
#include "kani/tokens/added_tokens.h"

#include <algorithm>

namespace kani {

AddedTokenMatcher::AddedTokenMatcher(std::vector<Token> tokens) {
  std::sort(tokens.begin(), tokens.end(),
            [](const Token& a, const Token& b) { return a.content < b.content; });
  entries_.reserve(tokens.size());
  for (const Token& token : tokens) {
    entries_.push_back({static_cast<uint32_t>(contents_.size()),
                        static_cast<uint32_t>(token.content.size()), token.id});
    contents_.append(token.content);
    may_start_[static_cast<unsigned char>(token.content[0])] = true;
  }
}

std::optional<AddedTokenMatcher::Match> AddedTokenMatcher::find(std::string_view text,
                                                                size_t from) const noexcept {
  for (size_t begin = from; begin < text.size(); ++begin) {
    if (!may_start_[static_cast<unsigned char>(text[begin])]) continue;
    if (const auto match = longest_at(text, begin)) return match;
  }
  return std::nullopt;
}

std::optional<AddedTokenMatcher::Match> AddedTokenMatcher::longest_at(std::string_view text,
                                                                      size_t begin) const noexcept {
  std::optional<Match> longest;
  // [low, high): the entries whose first `length` bytes are those of the text; one that ends there
  // comes first.
  auto low = entries_.begin();
  auto high = entries_.end();
  for (size_t length = 0; low != high; ++length) {
    if (low->length == length) {
      longest = Match{begin, length, low->id};
      ++low;
    }
    if (begin + length == text.size()) break;
    const auto wanted = static_cast<unsigned char>(text[begin + length]);
    low = std::lower_bound(low, high, wanted, [&](const Entry& entry, unsigned char b) {
      return byte(entry, length) < b;
    });
    high = std::upper_bound(low, high, wanted, [&](unsigned char b, const Entry& entry) {
      return b < byte(entry, length);
    });
  }
  return longest;
}

}  // namespace kani
