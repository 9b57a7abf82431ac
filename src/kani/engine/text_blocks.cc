// text_blocks.cc - see text_blocks.h.
#include "kani/engine/text_blocks.h"

#include <utility>

namespace kani {
namespace {

constexpr size_t kBlockBytes = 4096;  // a text up to this long is one block
constexpr size_t kWindowBytes = 2 * kBlockBytes;

// The start of `text`, at most kWindowBytes long, without half a character at its end.
std::string_view window_of(std::string_view text) {
  if (text.size() <= kWindowBytes) return text;
  size_t end = kWindowBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

TextBlocks::TextBlocks(std::string_view text, std::string language)
    : text_(text), language_(std::move(language)) {}

std::optional<TextRange> TextBlocks::next() {
  const std::string_view rest = text_.substr(begin_);
  if (rest.empty()) return std::nullopt;
  size_t length = rest.size();
  if (length > kBlockBytes) {
    const std::string_view window = window_of(rest);
    const std::vector<TextRange> sentences = split_sentences(window, language_);
    const size_t space = window.find_last_of(" \n\t");
    if (window.size() == rest.size()) {
      length = rest.size();
    } else if (sentences.size() > 1) {
      length = sentences.back().begin;  // the last one may go on behind the window
    } else {
      length = space != std::string_view::npos && space > 0 ? space : window.size();
    }
  }
  const TextRange block{begin_, begin_ + length};
  begin_ = block.end;
  return block;
}

}  // namespace kani
