// standard_output.h - stdout: the result alone, sound or text.  Knows whether the reader has left
// (interfaces.md 1.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace kani::cli {

/// One thread at a time.
class StandardOutput {
 public:
  StandardOutput();

  bool is_terminal() const { return terminal_; }
  /// Writes everything.  Throws Error(kCannotWrite), also when the reader has left;
  /// Error(kCancelled) if a signal arrives while the reader is not reading.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// The text and a newline.
  void line(std::string_view text);

  /// The reader left after it had got something: the program then ends silently with status 0.
  bool reader_left() const { return broken_ && written_ > 0; }

 private:
  bool terminal_ = false;
  bool broken_ = false;
  uint64_t written_ = 0;
};

}  // namespace kani::cli
