// mp3_decoder.cc - MPEG layer III through libmpg123.
// Not through libsndfile, which uses the same library: there a damaged file prints lines to stderr,
// a tag may allocate its size, and a change of rate in the middle ends the sound without an error.
#include <mpg123.h>

#include "kani/audio/decoder.h"
#include "kani/base/error.h"

namespace kani {
namespace {

constexpr long kFlags = MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_GAPLESS | MPG123_SKIP_ID3V2;
constexpr long kJunkBytes =
    4096;  // looked through for the next frame, in front of and inside the sound

struct Delete {
  void operator()(mpg123_handle* handle) const noexcept { mpg123_delete(handle); }
};

ssize_t read_source(void* source, void* out, size_t count) {
  const std::span bytes(static_cast<std::byte*>(out), count);
  return static_cast<ssize_t>(static_cast<ByteSource*>(source)->read(bytes));
}

off_t seek_source(void* source, off_t offset, int whence) {
  return static_cast<ByteSource*>(source)->seek(offset, whence);
}

class Mp3Decoder : public SoundDecoder {
 public:
  explicit Mp3Decoder(ByteSource& source);

  int rate_hz() const override { return static_cast<int>(rate_hz_); }
  int channels() const override { return channels_; }
  size_t read(std::span<float> interleaved) override;

 private:
  void check(int result) const {
    if (result != MPG123_OK) {
      throw Error(ErrorCode::kBadInput, "MP3 decoder: ", mpg123_strerror(handle_.get()));
    }
  }

  std::unique_ptr<mpg123_handle, Delete> handle_;
  long rate_hz_ = 0;
  int channels_ = 0;
  int encoding_ = 0;
};

Mp3Decoder::Mp3Decoder(ByteSource& source) {
  mpg123_init();  // of old versions; does nothing since 1.27
  handle_.reset(mpg123_new(nullptr, nullptr));
  if (!handle_) throw Error(ErrorCode::kOutOfMemory, "no memory for the MP3 decoder");
  mpg123_handle* handle = handle_.get();
  check(mpg123_param(handle, MPG123_FLAGS, kFlags, 0));
  check(mpg123_param(handle, MPG123_RESYNC_LIMIT, kJunkBytes, 0));
  check(mpg123_replace_reader_handle(handle, read_source, seek_source, nullptr));
  check(mpg123_open_handle(handle, &source));
  check(mpg123_getformat(handle, &rate_hz_, &channels_, &encoding_));
}

size_t Mp3Decoder::read(std::span<float> interleaved) {
  size_t bytes = 0;
  const int result =
      mpg123_read(handle_.get(), interleaved.data(), interleaved.size_bytes(), &bytes);
  if (result == MPG123_NEW_FORMAT) {
    throw Error(ErrorCode::kBadInput, "rate or channels change in the middle");
  }
  if (result != MPG123_DONE) check(result);
  return bytes / sizeof(float) / static_cast<size_t>(channels_);
}

}  // namespace

std::unique_ptr<SoundDecoder> make_mp3_decoder(ByteSource& source) {
  return std::make_unique<Mp3Decoder>(source);
}

}  // namespace kani
