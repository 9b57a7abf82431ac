// error.cc - message parts, exit statuses and names of the error codes.
#include "kani/base/error.h"

#include <cstdio>

namespace kani {

std::string to_text(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

int exit_status(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInternal:
    case ErrorCode::kOutOfMemory:
      return 1;
    case ErrorCode::kInvalidArgument:
      return 2;
    case ErrorCode::kBadInput:
    case ErrorCode::kUnsupported:
      return 3;
    case ErrorCode::kNotFound:
      return 4;
    case ErrorCode::kCannotWrite:
      return 5;
    case ErrorCode::kBusy:
      return 7;
    case ErrorCode::kCancelled:
      return 130;
  }
  return 1;
}

std::string_view error_name(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInternal:
      return "internal_error";
    case ErrorCode::kOutOfMemory:
      return "out_of_memory";
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kBadInput:
      return "bad_input";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kCannotWrite:
      return "cannot_write";
    case ErrorCode::kBusy:
      return "busy";
    case ErrorCode::kCancelled:
      return "cancelled";
  }
  return "internal_error";
}

std::string printable(std::string_view text, size_t limit) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (out.size() >= limit) {
      while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80)
        out.pop_back();
      if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
      return out + "…";
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n') {
      out += "\\n";
    } else if (byte == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", byte);
      out += hex;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace kani
