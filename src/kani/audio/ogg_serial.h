// ogg_serial.h - gives an Ogg stream a serial number that follows from its content.
// libsndfile takes it from the clock, which would make the same request give other bytes each time;
// a constant would make two of our files unfit to stand one behind the other (RFC 3533 4, 6).
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "kani/audio/pcm.h"

namespace kani {

/// Takes the pages of one logical stream in pieces, hands on whole pages.  Holds the header pages
/// back until the first page of sound: the serial number is a checksum of all of them.
class OggSerial {
 public:
  using PageSink = std::function<void(std::span<const std::byte> page)>;

  /// Throws what the sink throws, Error(kInternal) if the bytes are no Ogg pages.
  void push(std::span<const std::byte> bytes, const PageSink& sink);
  /// Hands on what is still held back, if the stream ended without sound.
  void finish(const PageSink& sink);

 private:
  void release(const PageSink& sink);

  Bytes pending_;  // the beginning of a page
  Bytes held_;     // whole pages that wait for the serial number
  uint32_t serial_ = 0;
  bool known_ = false;
};

}  // namespace kani
