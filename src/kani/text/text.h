// text.h - from what a user wrote to the pieces that are spoken one after the other.  Strings to strings.
// Source: interfaces.md 3.8; what goes wrong elsewhere: language-model.md 12.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kani {

struct NormalizeOptions {
  std::string language = "en";  // BCP 47 or a model's tag ("en_us", "en_nyork"): the part before _ or - decides
  bool spell_numbers = true;    // numbers, dates, times, currencies, symbols, spelled out with ICU's rules
  bool strip_markdown = false;
};

/// One piece to synthesize, from one prompt.
struct Chunk {
  std::string text;        // normalized, not empty, no line breaks
  size_t source_begin = 0; // bytes in the original text
  size_t source_end = 0;
  double pause_after_s = 0;  // silence after it, from pause tags only; the engine adds sentence silence itself
  bool ends_paragraph = false;
};

struct ChunkOptions {
  NormalizeOptions normalize;
  /// Aim for the length of a piece, in code points of normalized text; longer ones are split at clauses, then words,
  /// into pieces of similar length; short sentences are joined up to it.  0 = one piece per sentence.
  size_t target_length = 200;
  size_t max_length = 400;
};

/// NFC, control and zero-width characters dropped (joiners kept where a script needs them), numbers and symbols spelled
/// out.  `text` is valid UTF-8.
std::string normalize_text(std::string_view text, const NormalizeOptions& options);

/// Sentences as byte ranges [begin, end) of `text`, in order, covering everything that is not white space.  Survives
/// abbreviations, decimals, 。！？؟। and text without any final mark.
struct TextRange {
  size_t begin = 0;
  size_t end = 0;
};
std::vector<TextRange> split_sentences(std::string_view text, std::string_view language);

/// The whole front end: pause tags, normalization, sentences, grouping.  Empty or unspeakable text gives no chunks.
/// Linear in the length of the text.
std::vector<Chunk> make_chunks(std::string_view text, const ChunkOptions& options);

}  // namespace kani
