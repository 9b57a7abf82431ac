// text.cc - the steps of the front end in their order.
#include "kani/text/text.h"

#include "kani/base/error.h"
#include "kani/base/utf8.h"
#include "kani/text/clean.h"
#include "kani/text/grouping.h"
#include "kani/text/lines.h"
#include "kani/text/markdown.h"
#include "kani/text/pause.h"
#include "kani/text/sentences.h"
#include "kani/text/unicode.h"
#include "kani/text/verbalize.h"

namespace kani {

namespace {

/// Offsets are 32 bits, ICU's are 31, and a sign can become ten letters.
constexpr size_t kMaxTextBytes = size_t{64} << 20;

void check_size(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    throw Error(ErrorCode::kBadInput, "text has ", text.size(), " bytes, at most ", kMaxTextBytes,
                " are read at once");
  }
}

/// Cleaned text with line breaks decided and pause marks where there were any.
MappedText prepare(MappedText text, const NormalizeOptions& options) {
  if (options.strip_markdown) text = strip_markdown(text);
  return resolve_lines(clean(text));
}

bool is_border(char32_t c) { return c == kLineBreak || c == kParagraphBreak || c == kPauseMark; }

/// Calls `use(begin, end, border)` for every stretch of `text` between borders; the last border is
/// 0.
template <typename Use>
void for_each_stretch(std::u32string_view text, const Use& use) {
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && !is_border(text[i])) continue;
    use(begin, i, i < text.size() ? text[i] : 0);
    begin = i + 1;
  }
}

/// Sentences of text[begin, end) in words, appended to `out`; returns where they lie there.
std::vector<Span> append_sentences(const TextTools& tools, const MappedText& text, Span stretch,
                                   bool spell, MappedText& out) {
  std::vector<Span> sentences;
  const auto view = std::u32string_view(text.text).substr(stretch.begin, stretch.size());
  size_t previous_end = 0;
  for (const Span found : find_sentences(tools, view)) {
    if (!sentences.empty() && found.begin > previous_end && out.text.back() != U' ') {
      out.append(U' ', text.source[stretch.begin + previous_end]);
    }
    previous_end = found.end;
    const size_t begin = out.size();
    const size_t from = stretch.begin + found.begin, to = stretch.begin + found.end;
    if (spell) {
      verbalize(tools, text, from, to, out);
    } else {
      out.append(text, from, to);
    }
    if (out.size() > begin) sentences.push_back({begin, out.size()});
  }
  return sentences;
}

std::string to_utf8_text(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  // A group space that no number took is a space like any other.
  for (const char32_t c : text) append_utf8(out, c == kGroupSpace ? U' ' : c);
  return out;
}

/// Makes the chunks of one text.
class Chunker {
 public:
  Chunker(const ChunkOptions& options, const MappedText& text, std::vector<Pause> pauses)
      : options_(options),
        text_(text),
        pauses_(std::move(pauses)),
        tools_(tools_for(options.normalize.language)) {
    longest_ = options.max_length;
    target_ = std::min(options.target_length, longest_);
  }

  std::vector<Chunk> run() {
    for_each_stretch(text_.text, [&](size_t begin, size_t end, char32_t border) {
      add_stretch({begin, end});
      if (border == kLineBreak) return;
      flush();
      if (border == kPauseMark) pause(text_.source[end].begin);
      if (border == kParagraphBreak && !chunks_.empty()) chunks_.back().ends_paragraph = true;
    });
    if (!chunks_.empty()) chunks_.back().ends_paragraph = true;
    return std::move(chunks_);
  }

 private:
  /// Sentences of one line, behind those of the lines before it.
  void add_stretch(Span stretch) {
    if (stretch.size() == 0) return;
    if (!sentences_.empty()) close_line();
    for (const Span sentence :
         append_sentences(tools_, text_, stretch, options_.normalize.spell_numbers, spoken_)) {
      if (is_spoken(sentence)) sentences_.push_back(sentence);
    }
  }

  /// The line before ended a sentence; if it has no mark that says so, it gets one, so that a
  /// heading does not run into the text below.
  void close_line() {
    size_t i = spoken_.size();
    while (i > 1 && (is_closing(spoken_.text[i - 1]) || spoken_.text[i - 1] == U' ')) --i;
    const char32_t last = spoken_.text[i - 1];
    const SourceRange here{spoken_.source.back().end, spoken_.source.back().end};
    if (is_speakable(last) || is_mark(last))
      spoken_.append(is_east_asian(last) ? U'。' : U'.', here);
    if (spoken_.text.back() != U' ') spoken_.append(U' ', here);
  }

  bool is_spoken(Span span) const {
    for (size_t i = span.begin; i < span.end; ++i) {
      if (is_speakable(spoken_.text[i])) return true;
    }
    return false;
  }

  /// Chunks of the sentences gathered so far.
  void flush() {
    const std::vector<size_t> lengths = measure_text(spoken_.text);
    std::vector<Span> pieces;
    for (const Span sentence : sentences_) {
      const auto cut = cut_long(tools_.breaks, spoken_.text, lengths, sentence,
                                target_ == 0 ? longest_ : target_, longest_);
      pieces.insert(pieces.end(), cut.begin(), cut.end());
    }
    if (target_ > 0) pieces = join_balanced(pieces, lengths, target_);
    for (const Span piece : pieces) {
      if (!is_spoken(piece)) continue;
      const SourceRange source = spoken_.span(piece.begin, piece.end);
      Chunk chunk;
      chunk.text =
          to_utf8_text(std::u32string_view(spoken_.text).substr(piece.begin, piece.size()));
      chunk.source_begin = source.begin;
      chunk.source_end = source.end;
      if (chunks_.empty()) chunk.pause_before_s = pause_before_;
      chunks_.push_back(std::move(chunk));
    }
    sentences_.clear();
    spoken_ = {};
  }

  /// The tag that began at this byte.
  void pause(uint32_t source_begin) {
    while (pauses_[next_pause_].source_begin != source_begin) ++next_pause_;
    (chunks_.empty() ? pause_before_ : chunks_.back().pause_after_s) +=
        pauses_[next_pause_].seconds;
  }

  const ChunkOptions& options_;
  const MappedText& text_;
  std::vector<Pause> pauses_;
  const TextTools& tools_;
  size_t target_ = 0, longest_ = 0;

  MappedText spoken_;            // words of the paragraph so far
  std::vector<Span> sentences_;  // in spoken_
  size_t next_pause_ = 0;
  double pause_before_ = 0;
  std::vector<Chunk> chunks_;
};

}  // namespace

std::string normalize_text(std::string_view text, const NormalizeOptions& options) {
  check_size(text);
  const TextTools& tools = tools_for(options.language);
  const MappedText prepared = prepare(map_utf8(text), options);
  std::string out;
  std::string_view separator;
  for_each_stretch(prepared.text, [&](size_t begin, size_t end, char32_t border) {
    MappedText words;
    append_sentences(tools, prepared, {begin, end}, options.spell_numbers, words);
    while (words.text.ends_with(U' ')) words.text.pop_back();
    if (!words.text.empty()) {
      if (!out.empty()) out += separator;
      out += to_utf8_text(words.text);
      separator = {};
    }
    if (separator != "\n\n") separator = border == kParagraphBreak ? "\n\n" : "\n";
  });
  return out;
}

std::vector<TextRange> split_sentences(std::string_view text, std::string_view language) {
  check_size(text);
  const TextTools& tools = tools_for(language);
  const MappedText mapped = map_utf8(text);
  std::vector<TextRange> sentences;
  for (const Span line : find_line_stretches(mapped.text)) {
    const auto view = std::u32string_view(mapped.text).substr(line.begin, line.size());
    for (const Span found : find_sentences(tools, view)) {
      const SourceRange source = mapped.span(line.begin + found.begin, line.begin + found.end);
      sentences.push_back({source.begin, source.end});
    }
  }
  return sentences;
}

std::vector<Chunk> make_chunks(std::string_view text, const ChunkOptions& options) {
  check_size(text);
  require(options.max_length > 0, "max_length is 0, must be > 0");
  PausedText paused = take_pause_tags(map_utf8(text));
  const MappedText prepared = prepare(std::move(paused.text), options.normalize);
  return Chunker(options, prepared, std::move(paused.pauses)).run();
}

}  // namespace kani
