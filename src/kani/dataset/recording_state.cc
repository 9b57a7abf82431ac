// recording_state.cc - see recording_state.h.
#include "kani/dataset/recording_state.h"

#include <sys/stat.h>

#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani {
namespace {

// A day of sound; whatever is longer is not decoded to its end either, so size and times must do.
constexpr int64_t kMostHashedBytes = int64_t{1} << 34;

int64_t nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// Without the content.
RecordingState look_at(const std::filesystem::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return {.bytes = status.st_size,
          .modified_ns = nanoseconds(status.st_mtim),
          .changed_ns = nanoseconds(status.st_ctim)};
}

bool looks_same(const RecordingState& one, const RecordingState& two) {
  return one.bytes == two.bytes && one.modified_ns == two.modified_ns &&
         one.changed_ns == two.changed_ns;
}

Sha256::Digest hash_of(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

void read_content(const std::filesystem::path& path, RecordingState& state) {
  if (!state.is_readable() || state.bytes > kMostHashedBytes) return;
  try {
    const InputFile file(path);
    Sha256 hash;
    std::vector<std::byte> block(1 << 20);
    for (uint64_t at = 0;;) {
      const size_t got = file.read_at(at, block);
      hash.update(std::span(block).first(got));
      at += got;
      if (got < block.size()) break;
    }
    state.content = hash.finish();
  } catch (const Error&) {
    state = {};
  }
}

bool has_sound(const SourceRecord& record) { return !record.problem && !record.audio.empty(); }

}  // namespace

RecordingState RecordingStates::state(const Manifest& manifest, const SourceRecord& record) {
  if (!has_sound(record)) return {};
  const std::filesystem::path path = manifest.path_of(record);
  const RecordingState now = look_at(path);
  // The times are those before the bytes are read: a change while they are read is seen next time.
  if (path != last_ || record.row != last_row_ || !looks_same(now, last_state_)) {
    last_ = path;
    last_row_ = record.row;
    last_state_ = now;
    if (record.row < 0) {
      read_content(path, last_state_);
    } else {
      try {
        last_state_.content = hash_of(inner_sound(manifest, record));
      } catch (const Error&) {  // none in it: no content
      }
    }
  }
  return last_state_;
}

std::span<const std::byte> RecordingStates::inner_sound(const Manifest& manifest,
                                                        const SourceRecord& record) {
  const std::filesystem::path path = manifest.path_of(record);
  if (record.member_bytes >= 0)
    return tars_.sound(path, static_cast<uint64_t>(record.row),
                       static_cast<uint64_t>(record.member_bytes));
  if (!rows_ || path != rows_path_) {
    rows_.reset();
    rows_ = RecordingRows::open(path);
    rows_path_ = path;
  }
  return rows_->sound(record.row);
}

bool RecordingStates::is_same(const Manifest& manifest, const SourceRecord& record,
                              const RecordingState& before) {
  if (!has_sound(record)) return true;
  const RecordingState now = look_at(manifest.path_of(record));
  if (before.is_readable() && looks_same(now, before)) return true;
  if (now.is_readable() != before.is_readable()) return false;
  // The bytes of a row or member may be the same although the file is another.
  if (record.row < 0 && (now.bytes != before.bytes || now.bytes > kMostHashedBytes)) return false;
  return state(manifest, record).content == before.content;
}

}  // namespace kani
