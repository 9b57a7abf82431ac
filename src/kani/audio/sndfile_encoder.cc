// sndfile_encoder.cc - FLAC, Opus and Vorbis through libsndfile and its virtual files.
// MP3 and WAV are written without it (mp3_encoder.cc, pcm_encoder.cc say why).
#include <sndfile.h>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "kani/audio/encoder.h"
#include "kani/audio/ogg_serial.h"
#include "kani/audio/tags.h"
#include "kani/base/error.h"

namespace kani {
namespace {

constexpr size_t kBlock = 1024;
constexpr double kOpusBitRate = 32000;
constexpr double kOpusPageMs = 100;

// The file that libsndfile sees: bytes at its end go to the target, bytes before it change what is
// there if the target allows that and are dropped if not (FLAC's lengths in a stream).
// libsndfile is C: exceptions are kept here until its call has returned.
class VirtualFile {
 public:
  VirtualFile(ByteTarget& target, bool ogg) : target_(target), ogg_(ogg) {}

  static SF_VIRTUAL_IO callbacks() {
    return {
        .get_filelen = [](void* self) { return static_cast<VirtualFile*>(self)->size_; },
        .seek = [](sf_count_t offset, int whence,
                   void* self) { return static_cast<VirtualFile*>(self)->seek(offset, whence); },
        .read = [](void*, sf_count_t, void*) { return sf_count_t{0}; },
        .write = [](const void* bytes, sf_count_t count,
                    void* self) { return static_cast<VirtualFile*>(self)->write(bytes, count); },
        .tell = [](void* self) { return static_cast<VirtualFile*>(self)->position_; }};
  }

  /// Everything written from now on is dropped: the sound was given up.
  void discard() noexcept { discarding_ = true; }

  void finish() {
    if (ogg_) serial_.finish([this](std::span<const std::byte> page) { target_.append(page); });
  }

  /// Throws what the target threw during a call of libsndfile.
  void rethrow() {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  sf_count_t seek(sf_count_t offset, int whence) noexcept {
    const sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? position_ : size_;
    position_ = std::clamp<sf_count_t>(from + offset, 0, size_);
    return position_;
  }

  sf_count_t write(const void* data, sf_count_t count) noexcept {
    if (failure_) return 0;
    const std::span bytes(static_cast<const std::byte*>(data), static_cast<size_t>(count));
    try {
      if (!discarding_) put(bytes);
    } catch (...) {
      failure_ = std::current_exception();
      return 0;
    }
    position_ += count;
    size_ = std::max(size_, position_);
    return count;
  }

  void put(std::span<const std::byte> bytes) {
    if (position_ < size_) {
      // Ogg writes its headers again if there was no sound: the same bytes.
      if (target_.can_rewrite() && !ogg_) target_.rewrite(static_cast<uint64_t>(position_), bytes);
    } else if (ogg_) {
      serial_.push(bytes, [this](std::span<const std::byte> page) { target_.append(page); });
    } else {
      target_.append(bytes);
    }
  }

  ByteTarget& target_;
  bool ogg_;
  OggSerial serial_;
  sf_count_t position_ = 0;
  sf_count_t size_ = 0;
  bool discarding_ = false;
  std::exception_ptr failure_;
};

int sndfile_format(SoundFormat format) {
  switch (format) {
    case SoundFormat::kFlac:
      return SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
    case SoundFormat::kOpus:
      return SF_FORMAT_OGG | SF_FORMAT_OPUS;
    default:
      return SF_FORMAT_OGG | SF_FORMAT_VORBIS;
  }
}

class SndfileEncoder : public SoundEncoder {
 public:
  SndfileEncoder(const EncoderSettings& settings, ByteTarget& target);
  SndfileEncoder(const SndfileEncoder&) = delete;
  SndfileEncoder& operator=(const SndfileEncoder&) = delete;
  ~SndfileEncoder() override {
    file_.discard();  // closing flushes
    sf_close(sndfile_);
  }

  void encode(std::span<const float> samples) override;
  void finish() override;

 private:
  void set_tags(const std::string& title);

  SoundFormat format_;
  VirtualFile file_;
  SF_VIRTUAL_IO callbacks_ = VirtualFile::callbacks();
  SNDFILE* sndfile_ = nullptr;
  bool any_ = false;
};

SndfileEncoder::SndfileEncoder(const EncoderSettings& settings, ByteTarget& target)
    : format_(settings.format), file_(target, settings.format != SoundFormat::kFlac) {
  SF_INFO info{};
  info.samplerate = settings.rate_hz;
  info.channels = 1;
  info.format = sndfile_format(format_);
  sndfile_ = sf_open_virtual(&callbacks_, SFM_WRITE, &info, &file_);
  if (sndfile_ == nullptr) throw Error(ErrorCode::kInternal, "encoder: ", sf_strerror(nullptr));
  if (format_ == SoundFormat::kOpus) {
    // The only control over the bit rate that libsndfile 1.2 has: level 0 is 256 kbit/s a channel,
    // 1 is 6 kbit/s.  Both settings hold only if made before the first samples.
    double level = 1.0 - (kOpusBitRate - 6000.0) / 250000.0;
    sf_command(sndfile_, SFC_SET_COMPRESSION_LEVEL, &level, sizeof level);
    double page_ms = kOpusPageMs;
    sf_command(sndfile_, SFC_SET_OGG_PAGE_LATENCY_MS, &page_ms, sizeof page_ms);
  }
  if (settings.tags) set_tags(settings.title);
}

// libsndfile's names: ENCODER and COMMENT in Ogg, software and comment in FLAC.
void SndfileEncoder::set_tags(const std::string& title) {
  const SoundTags tags = make_tags(title);
  sf_set_string(sndfile_, SF_STR_SOFTWARE, tags.program.c_str());
  sf_set_string(sndfile_, SF_STR_COMMENT, tags.statement.c_str());
  if (!tags.title.empty()) sf_set_string(sndfile_, SF_STR_TITLE, tags.title.c_str());
}

void SndfileEncoder::encode(std::span<const float> samples) {
  std::array<float, kBlock> floats;
  std::array<int16_t, kBlock> shorts;
  while (!samples.empty()) {
    any_ = true;
    const size_t count = std::min(samples.size(), kBlock);
    sf_count_t written = 0;
    if (format_ == SoundFormat::kFlac) {
      std::transform(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(count),
                     shorts.begin(), f32_to_s16);
      written = sf_write_short(sndfile_, shorts.data(), static_cast<sf_count_t>(count));
    } else {
      std::transform(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(count),
                     floats.begin(), clean_sample);
      written = sf_write_float(sndfile_, floats.data(), static_cast<sf_count_t>(count));
    }
    file_.rethrow();
    if (written != static_cast<sf_count_t>(count)) {
      throw Error(ErrorCode::kInternal, "encoder: ", sf_strerror(sndfile_));
    }
    samples = samples.subspan(count);
  }
}

void SndfileEncoder::finish() {
  if (!any_) {  // a file without sound still needs its headers; libsndfile writes none by itself
    const float silence = 0;
    encode(std::span(&silence, 1));
  }
  const int error = sf_close(std::exchange(sndfile_, nullptr));
  file_.rethrow();
  if (error != 0) throw Error(ErrorCode::kInternal, "encoder: ", sf_error_number(error));
  file_.finish();
}

}  // namespace

std::unique_ptr<SoundEncoder> make_sndfile_encoder(const EncoderSettings& settings,
                                                   ByteTarget& target) {
  return std::make_unique<SndfileEncoder>(settings, target);
}

}  // namespace kani
