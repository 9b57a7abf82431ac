// eval_journal.cc - see eval_journal.h.
#include "apps/kani/eval_journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "apps/kani/json_text.h"
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/sha256.h"

namespace kani::cli {
namespace {

constexpr uint64_t kMostBytes = 1ULL << 30;

void write_all(const std::filesystem::path& path, int descriptor, const std::string& bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = write(descriptor, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) throw_cannot_write(path, errno);
    done += static_cast<size_t>(wrote);
  }
}

}  // namespace

EvalJournal::EvalJournal(const std::filesystem::path& path) : path_(path) {
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw_cannot_write(path, errno);
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    close(descriptor_);
    throw Error(ErrorCode::kBusy, path.parent_path(), " is in use by another evaluation")
        .with_hint("wait for it, or name another --out");
  }
  try {
    const std::string text = read_file(path, kMostBytes);
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      const Json line = try_parse_json(std::string_view(text).substr(begin, end - begin));
      if (line.is_object() && line.contains("value") && line.value("key", Json()).is_string())
        entries_[line["key"].get<std::string>()] = line["value"];
      begin = end + 1;
    }
    if (!text.empty() && text.back() != '\n') write_all(path_, descriptor_, "\n");
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

EvalJournal::~EvalJournal() { close(descriptor_); }

std::optional<Json> EvalJournal::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(key);
  return at == entries_.end() ? std::nullopt : std::optional<Json>(at->second);
}

void EvalJournal::add(const std::string& key, const Json& value) {
  const std::lock_guard lock(mutex_);
  entries_[key] = value;
  write_all(path_, descriptor_, json_line({{"key", key}, {"value", value}}) + "\n");
  fdatasync(descriptor_);
}

std::string key_of(const Json& json) {
  const std::string text = json_line(json);
  return sha256_hex(std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace kani::cli
