// split.cc - the two split rules written out.  Numbers in comments: the rules of
// language-model.md 3.1, step 2.
#include "kani/tokens/split.h"

#include <cassert>

#include "kani/tokens/unicode_classes.h"

namespace kani {
namespace {

struct Char {
  char32_t value;
  CharClass cls;
  size_t length;
};

/// A place in valid UTF-8.
class Cursor {
 public:
  Cursor(const char* at, const char* end) : at_(at), end_(end) {}

  bool done() const { return at_ == end_; }
  const char* at() const { return at_; }
  void skip(const Char& c) { at_ += c.length; }

  /// The code point here; must not be done().
  Char peek() const {
    const auto byte = [this](size_t i) -> char32_t { return static_cast<unsigned char>(at_[i]); };
    const char32_t lead = byte(0);
    char32_t value = lead;
    size_t length = 1;
    if (lead >= 0xF0) {
      value = ((lead & 7) << 18) | ((byte(1) & 63) << 12) | ((byte(2) & 63) << 6) | (byte(3) & 63);
      length = 4;
    } else if (lead >= 0xE0) {
      value = ((lead & 15) << 12) | ((byte(1) & 63) << 6) | (byte(2) & 63);
      length = 3;
    } else if (lead >= 0xC0) {
      value = ((lead & 31) << 6) | (byte(1) & 63);
      length = 2;
    }
    assert(length <= static_cast<size_t>(end_ - at_));
    return {value, char_class(value), length};
  }
  bool next_is(CharClass cls) const { return !done() && peek().cls == cls; }

  /// Goes on while the class is `cls`, over at most `most` code points.
  void skip_run(CharClass cls, size_t most = static_cast<size_t>(-1)) {
    for (; most > 0 && !done(); --most) {
      const Char c = peek();
      if (c.cls != cls) return;
      skip(c);
    }
  }
  void skip_newlines() {
    while (!done() && (*at_ == '\r' || *at_ == '\n')) ++at_;
  }

 private:
  const char* at_;
  const char* end_;
};

/// Lower case of the letters that occur in contractions; U+017F (long s) is an s by simple folding.
char32_t fold(char32_t c) {
  if (c >= 'A' && c <= 'Z') return c + 32;
  return c == 0x17F ? U's' : c;
}

/// The cursor behind "s", "t", "re", "ve", "m", "ll" or "d" at `cursor`, or `cursor` itself.
Cursor behind_contraction(Cursor cursor, bool ignore_case) {
  const Cursor start = cursor;
  if (cursor.done()) return start;
  const auto take = [&]() {
    const Char c = cursor.peek();
    cursor.skip(c);
    return ignore_case ? fold(c.value) : c.value;
  };
  const char32_t first = take();
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return cursor;
  const char32_t wanted = first == 'r' || first == 'v' ? U'e' : first == 'l' ? U'l' : 0;
  if (wanted == 0 || cursor.done() || take() != wanted) return start;
  return cursor;
}

/// Rule 6, and the end of both expressions: white space gives its last code point to the piece that
/// follows it. `cursor` stands on white space.
const char* behind_blanks(Cursor cursor) {
  const Char first = cursor.peek();
  const char* last = cursor.at();
  Cursor run = cursor;
  while (run.next_is(CharClass::kSpace)) {
    last = run.at();
    run.skip(run.peek());
  }
  if (run.done()) return run.at();
  return last == cursor.at() ? cursor.at() + first.length : last;
}

/// Rule 5: the end of the last newline in the run of white space, or nullptr.
const char* behind_last_newline(Cursor cursor) {
  const char* end = nullptr;
  while (cursor.next_is(CharClass::kSpace)) {
    const Char c = cursor.peek();
    cursor.skip(c);
    if (c.value == '\r' || c.value == '\n') end = cursor.at();
  }
  return end;
}

const char* behind_llama3_piece(Cursor start) {
  const Char first = start.peek();
  Cursor behind = start;
  behind.skip(first);
  if (first.value == '\'') {  // 1
    const Cursor contraction = behind_contraction(behind, /*ignore_case=*/true);
    if (contraction.at() != behind.at()) return contraction.at();
  }
  const bool newline = first.value == '\r' || first.value == '\n';
  if (first.cls == CharClass::kLetter ||  // 2
      (first.cls != CharClass::kNumber && !newline && behind.next_is(CharClass::kLetter))) {
    behind.skip_run(CharClass::kLetter);
    return behind.at();
  }
  if (first.cls == CharClass::kNumber) {  // 3
    behind.skip_run(CharClass::kNumber, 2);
    return behind.at();
  }
  if (first.cls == CharClass::kOther ||
      (first.value == ' ' && behind.next_is(CharClass::kOther))) {  // 4
    behind.skip_run(CharClass::kOther);
    behind.skip_newlines();
    return behind.at();
  }
  if (const char* end = behind_last_newline(start)) return end;  // 5
  return behind_blanks(start);                                   // 6
}

const char* behind_gpt2_piece(Cursor start) {
  const Char first = start.peek();
  Cursor behind = start;
  behind.skip(first);
  if (first.value == '\'') {
    const Cursor contraction = behind_contraction(behind, /*ignore_case=*/false);
    if (contraction.at() != behind.at()) return contraction.at();
  }
  CharClass cls = first.cls;
  if (first.value == ' ' && !behind.done())
    cls = behind.peek().cls;  // " ?" before letters, numbers, others
  if (cls == CharClass::kSpace) return behind_blanks(start);
  behind.skip_run(cls);
  return behind.at();
}

}  // namespace

size_t first_piece(SplitRule rule, std::string_view text) noexcept {
  assert(!text.empty());
  const Cursor start(text.data(), text.data() + text.size());
  const char* end =
      rule == SplitRule::kLlama3 ? behind_llama3_piece(start) : behind_gpt2_piece(start);
  return static_cast<size_t>(end - text.data());
}

}  // namespace kani
