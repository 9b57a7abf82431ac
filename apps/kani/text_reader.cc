// text_reader.cc - see text_reader.h.
#include "apps/kani/text_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "apps/kani/signals.h"
#include "kani/base/error.h"
#include "kani/base/utf8.h"

namespace kani::cli {
namespace {

constexpr uint64_t kMaxTextBytes = 64 << 20;  // weeks of speech; stops a pipe that never ends
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string reason(int error_number) { return std::generic_category().message(error_number); }

}  // namespace

TextReader::TextReader(const std::string& path) : name_(path == "-" ? "stdin" : path) {
  if (path == "-") {
    descriptor_ = STDIN_FILENO;
    return;
  }
  descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) {
    const ErrorCode code =
        errno == ENOENT || errno == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kBadInput;
    throw Error(code, "cannot read ", path, ": ", reason(errno));
  }
  struct stat info {};
  if (fstat(descriptor_, &info) == 0 && S_ISDIR(info.st_mode)) {
    close(descriptor_);
    throw Error(ErrorCode::kBadInput, "cannot read ", path, ": it is a folder");
  }
}

TextReader::~TextReader() {
  if (descriptor_ > STDIN_FILENO) close(descriptor_);
}

bool TextReader::fill() {
  if (end_) return false;
  char part[65536];
  ssize_t got = 0;
  do {
    wait_until_ready(descriptor_, POLLIN);
    got = ::read(descriptor_, part, sizeof part);
  } while (got < 0 && (errno == EINTR || errno == EAGAIN));
  if (got < 0) throw Error(ErrorCode::kBadInput, "cannot read ", name_, ": ", reason(errno));
  end_ = got == 0;
  buffer_.append(part, static_cast<size_t>(got));
  if (buffer_.size() > kMaxTextBytes) {
    throw Error(ErrorCode::kBadInput, name_, ": text is longer than ", kMaxTextBytes, " bytes");
  }
  return !end_;
}

void TextReader::check(const std::string& text, uint64_t offset) const {
  if (const auto invalid = find_invalid_utf8(text)) {
    throw Error(ErrorCode::kBadInput, name_, ": invalid UTF-8 at offset ", offset + *invalid);
  }
}

std::string TextReader::read_all() {
  while (fill()) {
  }
  check(buffer_, offset_);
  if (offset_ == 0 && buffer_.starts_with(kByteOrderMark)) buffer_.erase(0, kByteOrderMark.size());
  return std::move(buffer_);
}

std::optional<std::string> TextReader::read_line() {
  size_t searched = 0;
  size_t end = std::string::npos;
  while ((end = buffer_.find('\n', searched)) == std::string::npos) {
    searched = buffer_.size();
    if (fill()) continue;
    if (buffer_.empty()) return std::nullopt;
    end = buffer_.size();
    break;
  }
  std::string line = buffer_.substr(0, end);
  const size_t taken = end < buffer_.size() ? end + 1 : end;
  check(line, offset_);
  if (offset_ == 0 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
  buffer_.erase(0, taken);
  offset_ += taken;
  ++line_;
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace kani::cli
