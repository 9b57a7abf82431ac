// toml.cc - one pass over the bytes, see toml.h.
#include "apps/kani/toml.h"

#include <cstdint>

#include "kani/base/error.h"
#include "kani/base/utf8.h"

namespace kani::cli {
namespace {

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

class Reader {
 public:
  Reader(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  std::vector<TomlEntry> read() {
    std::vector<TomlEntry> entries;
    std::string section;
    while (true) {
      skip_blank_lines();
      if (at_end()) return entries;
      if (peek() == '[') {
        section = read_section();
      } else {
        entries.push_back(read_entry(section));
        refuse_twice(entries);
      }
      end_line();
    }
  }

 private:
  bool at_end() const { return position_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[position_]; }
  char take() {
    const char c = peek();
    ++position_;
    if (c == '\n') ++line_;
    return c;
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::kBadInput, source_, ": line ", line_, ": ", what);
  }

  void skip_spaces() {
    while (peek() == ' ' || peek() == '\t') take();
  }
  void skip_comment() {
    if (peek() != '#') return;
    while (!at_end() && peek() != '\n') take();
  }
  void skip_blank_lines() {
    while (!at_end()) {
      skip_spaces();
      skip_comment();
      if (peek() == '\r') take();
      if (peek() != '\n') return;
      take();
    }
  }
  void end_line() {
    skip_spaces();
    skip_comment();
    if (peek() == '\r') take();
    if (!at_end() && peek() != '\n')
      fail(concat("found '", printable(text_.substr(position_, 1)), "' behind the value"));
  }

  std::string read_key() {
    if (peek() == '"' || peek() == '\'') return read_string();
    std::string key;
    while (is_bare(peek())) key += take();
    if (key.empty()) fail("expected a key, as in model = \"folder\"");
    if (peek() == '.') fail("dotted keys are not understood here, use a [section]");
    return key;
  }

  std::string read_section() {
    take();
    if (peek() == '[') fail("arrays of tables are not understood here");
    skip_spaces();
    std::string name = read_key();
    skip_spaces();
    if (peek() != ']') fail("expected ] at the end of the section's name");
    take();
    return name;
  }

  TomlEntry read_entry(const std::string& section) {
    TomlEntry entry;
    entry.section = section;
    entry.line = line_;
    entry.key = read_key();
    skip_spaces();
    if (peek() != '=') fail(concat("expected = behind ", printable(entry.key)));
    take();
    skip_spaces();
    if (peek() == '[') {
      entry.values = read_array();
    } else {
      entry.values.push_back(read_value());
    }
    return entry;
  }

  void refuse_twice(const std::vector<TomlEntry>& entries) const {
    const TomlEntry& last = entries.back();
    for (size_t i = 0; i + 1 < entries.size(); ++i) {
      if (entries[i].key == last.key && entries[i].section == last.section) {
        throw Error(ErrorCode::kBadInput, source_, ": line ", last.line, ": ", printable(last.key),
                    " was already given in line ", entries[i].line);
      }
    }
  }

  std::vector<std::string> read_array() {
    std::vector<std::string> values;
    take();
    while (true) {
      skip_blank_lines();
      if (peek() == ']') break;
      values.push_back(read_value());
      skip_blank_lines();
      if (peek() == ',') {
        take();
      } else if (peek() != ']') {
        fail("expected , or ] in the array");
      }
    }
    take();
    return values;
  }

  std::string read_value() {
    const char first = peek();
    if (first == '"' || first == '\'') return read_string();
    if (first == '{') fail("inline tables are not understood here");
    std::string word;
    while (is_bare(peek()) || peek() == '+' || peek() == '.') word += take();
    if (word.empty()) fail("expected a value");
    const bool number = word[0] == '+' || word[0] == '-' || (word[0] >= '0' && word[0] <= '9');
    if (!number && word != "true" && word != "false")
      fail(concat("put ", printable(word), " in quotes"));
    if (word[0] == '+') word.erase(0, 1);
    return word;
  }

  std::string read_string() {
    const char quote = take();
    std::string out;
    while (peek() != quote) {
      if (at_end() || peek() == '\n') fail("a string has no end");
      if (peek() == '\\' && quote == '"') {
        read_escape(out);
      } else {
        out += take();
      }
    }
    take();
    if (out.empty() && peek() == quote) fail("multi-line strings are not understood here");
    return out;
  }

  void read_escape(std::string& out) {
    take();
    const char c = take();
    static constexpr std::string_view kNames = "btnfr\"\\";
    static constexpr std::string_view kValues = "\b\t\n\f\r\"\\";
    if (const size_t at = kNames.find(c); at != std::string_view::npos) {
      out += kValues[at];
      return;
    }
    if (c != 'u' && c != 'U') fail(concat("unknown escape \\", printable(std::string(1, c))));
    uint32_t value = 0;
    for (int i = 0; i < (c == 'u' ? 4 : 8); ++i) {
      const char digit = take();
      const size_t at = std::string_view("0123456789abcdefABCDEF").find(digit);
      if (at == std::string_view::npos || digit == '\0')
        fail("an escaped character needs hexadecimal digits");
      value = value * 16 + static_cast<uint32_t>(at < 16 ? at : at - 6);
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
      fail("an escape names no character");
    append_utf8(out, static_cast<char32_t>(value));
  }

  std::string_view text_;
  std::string_view source_;
  size_t position_ = 0;
  size_t line_ = 1;
};

}  // namespace

std::vector<TomlEntry> parse_toml(std::string_view text, std::string_view source) {
  if (const auto offset = find_invalid_utf8(text)) {
    throw Error(ErrorCode::kBadInput, source, ": invalid UTF-8 at offset ", *offset);
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return Reader(text, source).read();
}

}  // namespace kani::cli
