// text_reader.h - text files and stdin as bytes: whole or by lines, with limits, and ending at once
// on a signal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kani::cli {

/// One thread at a time.
class TextReader {
 public:
  /// "-" is stdin.  Throws Error(kNotFound, kBadInput).
  explicit TextReader(const std::string& path);
  TextReader(const TextReader&) = delete;
  TextReader& operator=(const TextReader&) = delete;
  ~TextReader();

  /// "stdin" or the path.
  const std::string& name() const { return name_; }
  /// Everything, without a byte order mark.  Throws Error(kBadInput) for invalid UTF-8, with the
  /// offset in the file, or too much text; Error(kCancelled).
  std::string read_all();
  /// The next line without its end (LF or CR LF); nothing at the end.  Throws as read_all does.
  std::optional<std::string> read_line();
  /// Number of the line that read_line gave last, from 1.
  uint64_t line_number() const { return line_; }

 private:
  bool fill();
  void check(const std::string& text, uint64_t offset) const;

  std::string name_;
  int descriptor_ = -1;
  std::string buffer_;   // read and not yet handed on
  uint64_t offset_ = 0;  // of buffer_ in the file
  uint64_t line_ = 0;
  bool end_ = false;
};

}  // namespace kani::cli
