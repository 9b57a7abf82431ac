// error.h - the one exception type of the project and its short list of codes.
// Source of the exit statuses: interfaces.md 1.3.  Not here: assert (for our own invariants), log
// lines (log.h).
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace kani {

enum class ErrorCode {
  kInternal,         // a fault of ours
  kOutOfMemory,      // an allocation failed
  kInvalidArgument,  // the caller's fault: flag, value, missing argument
  kBadInput,         // broken or unacceptable model, voice, sound or text
  kUnsupported,      // well-formed input that asks for something this build cannot do
  kNotFound,         // model, voice, file
  kCannotWrite,      // disk full, no permission
  kBusy,             // busy or timed out
  kCancelled,        // interrupted on request
};

/// Text of one part of a message.  Numbers in plain decimal, paths as they are.
std::string to_text(double value);
inline std::string to_text(std::string_view value) { return std::string(value); }
inline std::string to_text(const char* value) { return value; }
inline std::string to_text(const std::string& value) { return value; }
inline std::string to_text(const std::filesystem::path& value) { return value.string(); }
inline std::string to_text(bool value) { return value ? "true" : "false"; }
inline std::string to_text(char value) { return std::string(1, value); }
template <std::integral T>
requires(!std::same_as<T, bool> && !std::same_as<T, char>) std::string to_text(T value) {
  return std::to_string(value);
}

/// All parts one after the other, without separators.
template <typename... Parts>
std::string concat(const Parts&... parts) {
  std::string out;
  ((out += to_text(parts)), ...);
  return out;
}

/// What went wrong in one line (lower case, no full stop: what was found, what was expected), plus
/// an optional hint that says what to do.
class Error : public std::runtime_error {
 public:
  template <typename... Parts>
  explicit Error(ErrorCode code, const Parts&... parts)
      : std::runtime_error(concat(parts...)), code_(code) {}

  /// The same error with a line that says what to do: `throw Error(…).with_hint("…")`.
  Error with_hint(std::string hint) && {
    hint_ = std::move(hint);
    return std::move(*this);
  }

  ErrorCode code() const noexcept { return code_; }
  const std::string& hint() const noexcept { return hint_; }

 private:
  ErrorCode code_;
  std::string hint_;
};

/// Throws Error(kInvalidArgument, parts…) unless `holds`.
template <typename... Parts>
void require(bool holds, const Parts&... parts) {
  if (!holds) throw Error(ErrorCode::kInvalidArgument, parts...);
}

/// Exit status of a program that ends with this code (interfaces.md 1.3).
int exit_status(ErrorCode code) noexcept;

/// Name used in JSON error documents, e.g. "bad_input".
std::string_view error_name(ErrorCode code) noexcept;

/// `text` with control characters written as \n, \t or \xNN and cut to `limit` bytes (with "…"
/// behind), so that a string from a file can stand in a one-line message.
std::string printable(std::string_view text, size_t limit = 80);

}  // namespace kani
