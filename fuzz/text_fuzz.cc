// text_fuzz.cc - any bytes through the whole text front end, in any of its languages, at any
// lengths. The first four bytes choose language, options and lengths; the rest is the text.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "kani/base/utf8.h"
#include "kani/text/text.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

constexpr const char* kLanguages[] = {"en", "de", "es", "fr", "it", "pt", "ru", "zh",
                                      "ja", "ko", "ar", "ky", "hi", "th", "xx", "en_us"};

void check_chunks(std::string_view text, const kani::ChunkOptions& options) {
  double pauses = 0;
  size_t begin = 0, end = 0;
  const std::vector<kani::Chunk> chunks = kani::make_chunks(text, options);
  for (const kani::Chunk& chunk : chunks) {
    check(!chunk.text.empty());
    check(!kani::find_invalid_utf8(chunk.text));
    check(chunk.text.find_first_of("\r\n") == std::string::npos);
    check(chunk.text.find("  ") == std::string::npos || !options.normalize.spell_numbers);
    check(chunk.text.front() != ' ' && chunk.text.back() != ' ');
    check(kani::utf8_length(chunk.text) <= options.max_length);
    check(begin <= chunk.source_begin && end <= chunk.source_end);
    check(chunk.source_begin <= chunk.source_end && chunk.source_end <= text.size());
    check(&chunk == chunks.data() || chunk.pause_before_s == 0);
    pauses += chunk.pause_before_s + chunk.pause_after_s;
    begin = chunk.source_begin;
    end = chunk.source_end;
  }
  check(pauses <= 60.0001);
  check(chunks.empty() || chunks.back().ends_paragraph);
}

void check_sentences(std::string_view text, std::string_view language) {
  size_t end = 0;
  for (const kani::TextRange& range : kani::split_sentences(text, language)) {
    check(range.begin >= end && range.begin < range.end && range.end <= text.size());
    end = range.end;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 4, size - 4);
  kani::ChunkOptions options;
  options.normalize.language = kLanguages[data[0] % std::size(kLanguages)];
  options.normalize.spell_numbers = (data[1] & 1) == 0;
  options.normalize.strip_markdown = (data[1] & 2) != 0;
  options.target_length = data[2];
  options.max_length = size_t{1} + data[3];

  check_chunks(text, options);
  check_sentences(text, options.normalize.language);
  check(!kani::find_invalid_utf8(kani::normalize_text(text, options.normalize)));
  return 0;
}
