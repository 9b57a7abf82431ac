// text.h - from what a user wrote to the pieces that are spoken one after the other.  Strings to
// strings. Source: interfaces.md 3.8; what goes wrong elsewhere: language-model.md 12. Not here:
// the lexicon and SSML, which tokens a model knows (tokens/), silence between chunks (engine/).
//
// All functions are thread-safe.  They share ICU's constant data and one immutable set of tools per
// language, made at its first use (0.3 to 20 ms).  Nothing of the text is logged or kept.  They
// throw Error(kBadInput) for more than 64 MiB of text and Error(kInternal) if ICU's data are
// missing; invalid UTF-8 is read as U+FFFD, which is not spoken.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kani {

struct NormalizeOptions {
  /// BCP 47 or a model's tag ("en_us", "en_nyork"): the part before _ or - decides, "" is "en".  A
  /// language without a table of its own has its numbers spelled by ICU and keeps its symbols.
  std::string language = "en";
  bool spell_numbers = true;  // numbers, dates, times, currencies, symbols, common abbreviations
  bool strip_markdown = false;
};

/// One piece to synthesize, from one prompt.
struct Chunk {
  std::string text;  // normalized, with something to speak in it, no line breaks
  /// Bytes in the original text.  Neither decreases from chunk to chunk; two chunks overlap only if
  /// one number, address or composed letter was cut between them (its words all know the whole of
  /// it).
  size_t source_begin = 0;
  size_t source_end = 0;
  /// Silence from pause tags; the engine adds sentence silence itself.  Only the first chunk can
  /// have some before it.
  double pause_before_s = 0;
  double pause_after_s = 0;
  bool ends_paragraph = false;
};

/// Lengths are in code points of normalized text, East Asian ones counted by how long they take to
/// say: Han three, kana and Hangul two.  So a chunk never has more than max_length code points.
struct ChunkOptions {
  NormalizeOptions normalize = {};
  /// Sentences of one paragraph are joined up to this, into chunks of similar length; 0 = one chunk
  /// per sentence.  A longer sentence stays whole up to max_length: a cut inside one is heard.
  size_t target_length = 200;
  /// Longer sentences are cut at clauses, then words, then grapheme clusters, into pieces of
  /// similar length up to target_length.  0 is Error(kInvalidArgument); a cluster longer than this
  /// is cut too.
  size_t max_length = 400;
};

/// NFC, control and zero-width characters and emoji dropped (joiners kept where a script needs
/// them), white space folded, numbers and symbols spelled out.  Wrapped lines are joined; a line
/// break that ends a sentence stays one, blank lines become "\n\n".  Linear.
std::string normalize_text(std::string_view text, const NormalizeOptions& options);

/// Sentences as byte ranges [begin, end) of `text`, in order, covering everything that is not white
/// space.  Survives abbreviations, initials, decimals, addresses, 。！？؟। and text without any
/// final mark; a blank line always ends a sentence.  Linear.
struct TextRange {
  size_t begin = 0;
  size_t end = 0;
};
std::vector<TextRange> split_sentences(std::string_view text, std::string_view language);

/// The whole front end: pause tags ([pause:0.5s], [pause:500ms]; one above 10 s, or with which the
/// sum would pass 60 s, is spoken as written), normalization, sentences, grouping.  Sentences are
/// found before numbers are spelled, which would hide capitals and digits.  Empty or unspeakable
/// text gives no chunks.  Linear.
std::vector<Chunk> make_chunks(std::string_view text, const ChunkOptions& options);

}  // namespace kani
