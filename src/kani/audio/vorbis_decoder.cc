// vorbis_decoder.cc - Vorbis in Ogg through libvorbisfile, read from front to back.
// Not through libsndfile 1.2, which loses memory with every file whose headers are damaged.
#include <vorbis/vorbisfile.h>

#include <algorithm>

#include "kani/audio/decoder.h"
#include "kani/base/error.h"

namespace kani {
namespace {

size_t read_source(void* out, size_t size, size_t count, void* source) {
  if (size == 0) return 0;
  const std::span bytes(static_cast<std::byte*>(out), size * count);
  return static_cast<ByteSource*>(source)->read(bytes) / size;
}

// Without a way to seek, the library takes the pages as they come and jumps to no place that a
// file names.
constexpr ov_callbacks kCallbacks{
    .read_func = read_source, .seek_func = nullptr, .close_func = nullptr, .tell_func = nullptr};

const char* reason(long result) {
  switch (result) {
    case OV_HOLE:
      return "a part is damaged or missing";
    case OV_ENOTVORBIS:
      return "no Vorbis in Ogg";
    case OV_EVERSION:
      return "unknown version of Vorbis";
    case OV_EBADHEADER:
      return "damaged Vorbis header";
    default:
      return "damaged Vorbis stream";
  }
}

class VorbisDecoder : public SoundDecoder {
 public:
  explicit VorbisDecoder(ByteSource& source) {
    const int result = ov_open_callbacks(&source, &file_, nullptr, 0, kCallbacks);
    if (result != 0) throw Error(ErrorCode::kBadInput, reason(result));
    const vorbis_info* info = ov_info(&file_, -1);
    rate_hz_ = static_cast<int>(info->rate);
    channels_ = info->channels;
  }
  VorbisDecoder(const VorbisDecoder&) = delete;
  VorbisDecoder& operator=(const VorbisDecoder&) = delete;
  ~VorbisDecoder() override { ov_clear(&file_); }

  int rate_hz() const override { return rate_hz_; }
  int channels() const override { return channels_; }
  size_t read(std::span<float> interleaved) override;

 private:
  OggVorbis_File file_{};
  int link_ = 0;
  int rate_hz_ = 0;
  int channels_ = 0;
};

size_t VorbisDecoder::read(std::span<float> interleaved) {
  const auto channels = static_cast<size_t>(channels_);
  const size_t wanted = interleaved.size() / channels;
  size_t done = 0;
  while (done < wanted) {
    float** pcm = nullptr;
    int link = link_;
    const long got = ov_read_float(&file_, &pcm, static_cast<int>(wanted - done), &link);
    if (got < 0) throw Error(ErrorCode::kBadInput, reason(got));
    if (got == 0) break;
    if (link != link_) {  // another stream follows, or comes first, in the same file
      const vorbis_info* info = ov_info(&file_, -1);
      if (info->channels != channels_ || info->rate != rate_hz_) {
        throw Error(ErrorCode::kBadInput, "rate or channels change in the middle");
      }
      link_ = link;
    }
    for (size_t i = 0; i < static_cast<size_t>(got); ++i, ++done) {
      for (size_t c = 0; c < channels; ++c) interleaved[done * channels + c] = pcm[c][i];
    }
  }
  return done;
}

}  // namespace

std::unique_ptr<SoundDecoder> make_vorbis_decoder(ByteSource& source) {
  return std::make_unique<VorbisDecoder>(source);
}

}  // namespace kani
