// ogg_serial.cc - the serial number of an Ogg stream from its first pages.
#include "kani/audio/ogg_serial.h"

#include "kani/audio/ogg_page.h"
#include "kani/base/error.h"

namespace kani {

void OggSerial::push(std::span<const std::byte> bytes, const PageSink& sink) {
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  while (const size_t size = ogg_page_size(pending_)) {
    const std::span<std::byte> page = std::span(pending_).first(size);
    if (static_cast<char>(page[0]) != 'O') throw Error(ErrorCode::kInternal, "not an Ogg page");
    const bool sound = ogg_page_position(page) != 0;
    if (!known_) {
      ogg_page_seal(page, 0);
      serial_ = ogg_checksum(page, serial_);
    }
    held_.insert(held_.end(), page.begin(), page.end());
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(size));
    if (known_ || sound) release(sink);
  }
}

void OggSerial::finish(const PageSink& sink) { release(sink); }

void OggSerial::release(const PageSink& sink) {
  known_ = true;
  std::span<std::byte> rest = held_;
  while (const size_t size = ogg_page_size(rest)) {
    ogg_page_seal(rest.first(size), serial_);
    sink(rest.first(size));
    rest = rest.subspan(size);
  }
  held_.clear();
}

}  // namespace kani
