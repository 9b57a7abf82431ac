// byte_target.h - where encoded bytes go: a file, a pipe, memory, a function.
// Not here: formats (encoder.h), the loudspeaker (player.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "kani/audio/pcm.h"
#include "kani/audio/sound_writer.h"

namespace kani {

/// Takes bytes in order.  Destroyed without finish(), it leaves as little behind as its kind
/// allows: an atomic file leaves nothing.  One thread at a time.
class ByteTarget {
 public:
  virtual ~ByteTarget() = default;
  /// Throws Error(kCannotWrite) naming target and reason.
  virtual void append(std::span<const std::byte> bytes) = 0;
  /// Whether bytes already handed over can be changed: then headers tell sizes.
  virtual bool can_rewrite() const noexcept = 0;
  /// Changes bytes that were appended before; they must lie inside.  Only if can_rewrite().
  virtual void rewrite(uint64_t offset, std::span<const std::byte> bytes) = 0;
  /// Everything was appended.  Throws Error(kCannotWrite).
  virtual void finish() = 0;
};

/// A file that appears under its name at finish(), replacing an older one; through symbolic links.
/// What cannot be replaced (FIFO, device, /dev/stdout and other names of open descriptors) and, if
/// `in_place`, every file is written directly instead, and cannot be rewritten.
std::unique_ptr<ByteTarget> open_file_target(const std::filesystem::path& path, bool in_place);

/// Bytes to a function as they come.
std::unique_ptr<ByteTarget> make_stream_target(ByteSink sink);

/// Bytes to the end of `bytes`, which must outlive the target; what was there before stays.
std::unique_ptr<ByteTarget> make_memory_target(Bytes& bytes);

/// Writes everything to a descriptor, with SIGPIPE held back in this thread; 0 or the errno.
int write_descriptor(int descriptor, std::span<const std::byte> bytes) noexcept;

}  // namespace kani
