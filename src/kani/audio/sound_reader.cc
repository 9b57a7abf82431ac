// sound_reader.cc - which of five formats it is, the limits, the mean of the channels.
#include "kani/audio/sound_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string_view>
#include <utility>

#include "kani/audio/byte_source.h"
#include "kani/audio/decoder.h"
#include "kani/audio/ogg_page.h"
#include "kani/audio/pcm.h"
#include "kani/base/error.h"

namespace kani {
namespace {

constexpr size_t kBlockFrames = 4096;

struct Head {
  std::array<unsigned char, 12> bytes{};
  bool has(size_t at, std::string_view text) const {
    return std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
  }
};

Head head_at(const ByteSource& source, uint64_t offset) {
  Head head;
  source.read_at(offset, std::as_writable_bytes(std::span(head.bytes)));
  return head;
}

// MPEG 1, 2 or 2.5, layer III.
bool is_mp3_frame(const Head& head) {
  const int second = head.bytes[1];
  return head.bytes[0] == 0xFF && (second & 0xE0) == 0xE0 && (second & 0x18) != 0x08 &&
         (second & 0x06) == 0x02;
}

// By the first packet of the first page.  That page must be whole, else a decoder would look for
// another one and find something else in it.
std::optional<SoundKind> kind_in_ogg(const ByteSource& source) {
  Bytes bytes(kOggPageMost);
  bytes.resize(source.read_at(0, bytes));
  const std::span<const std::byte> page = std::span(bytes).first(ogg_page_size(bytes));
  if (page.empty() || !ogg_page_is_sound(page)) return std::nullopt;
  const Head packet = head_at(source, ogg_page_body(page));
  if (packet.has(0, "\1vorbis")) return SoundKind::kVorbis;
  if (packet.has(0, "OpusHead")) return SoundKind::kOpus;
  return std::nullopt;
}

std::unique_ptr<SoundDecoder> make_decoder(SoundKind kind, ByteSource& source) {
  if (kind == SoundKind::kMp3) return make_mp3_decoder(source);
  if (kind == SoundKind::kVorbis) return make_vorbis_decoder(source);
  return make_sndfile_decoder(kind, source);
}

// libsndfile knows thirty more formats, most of them old and little tested.  None of their parsers
// is to see a stranger's file, so the choice is made here, from the bytes it would look at.
std::optional<SoundKind> kind_of(const ByteSource& source) {
  Head head = head_at(source, 0);
  if (head.has(0, "RIFF") && head.has(8, "WAVE")) return SoundKind::kWav;
  if (head.has(0, "OggS")) return kind_in_ogg(source);
  uint64_t offset = 0;
  for (int tags = 0; tags < 8 && head.has(0, "ID3"); ++tags) {
    uint64_t size = 10;
    for (int i = 0; i < 4; ++i) size += uint64_t{head.bytes[6 + i] & 0x7FU} << (7 * (3 - i));
    offset += size;
    if (offset >= source.size()) return std::nullopt;
    head = head_at(source, offset);
  }
  if (head.has(0, "fLaC")) return SoundKind::kFlac;
  if (is_mp3_frame(head)) return SoundKind::kMp3;
  return std::nullopt;
}

// What somebody may well take for one of the five, by name and remedy; nothing for the rest.
const char* why_not(const ByteSource& source) {
  const Head head = head_at(source, 0);
  const bool is_adts = head.bytes[0] == 0xFF && (head.bytes[1] & 0xF6) == 0xF0;
  if (head.has(4, "ftyp")) return "MP4 (.m4a, .mp4) has no decoder here; convert it to FLAC or WAV";
  if (is_adts) return "AAC has no decoder here; convert it to FLAC or WAV";
  return nullptr;
}

}  // namespace

class SoundReader::Impl {
 public:
  Impl(ByteSource source, std::string name, const SoundLimits& limits);

  SoundKind kind() const { return kind_; }
  const SoundDecoder& decoder() const { return *decoder_; }
  size_t read(std::span<float> mono, std::span<float> channels);

 private:
  template <typename... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    throw Error(ErrorCode::kBadInput, name_, ": ", parts...);
  }
  size_t read_block(std::span<float> mono);
  void mix(size_t frames, std::span<float> mono);

  std::string name_;
  SoundLimits limits_;
  ByteSource source_;
  SoundKind kind_ = SoundKind::kWav;
  std::unique_ptr<SoundDecoder> decoder_;
  std::vector<float> block_;  // frames, channels interleaved
  uint64_t frames_ = 0;
};

SoundReader::Impl::Impl(ByteSource source, std::string name, const SoundLimits& limits)
    : name_(std::move(name)), limits_(limits), source_(std::move(source)) {
  const std::optional<SoundKind> kind = kind_of(source_);
  if (!kind) {
    const char* why = why_not(source_);
    refuse(why != nullptr ? why : "neither WAV, FLAC, MP3, Ogg Vorbis nor Ogg Opus");
  }
  kind_ = *kind;
  try {
    decoder_ = make_decoder(kind_, source_);
  } catch (const Error& error) {
    throw Error(error.code(), name_, ": ", error.what());
  }
  const int channels = decoder_->channels();
  if (channels < 1 || channels > limits_.max_channels) {
    refuse(channels, " channels, must be 1 to ", limits_.max_channels);
  }
  const int rate = decoder_->rate_hz();
  if (rate < limits_.min_rate_hz || rate > limits_.max_rate_hz) {
    refuse("sample rate is ", rate, " Hz, must be ", limits_.min_rate_hz, " to ",
           limits_.max_rate_hz);
  }
  block_.resize(kBlockFrames * static_cast<size_t>(channels));
}

size_t SoundReader::Impl::read(std::span<float> mono, std::span<float> channels) {
  const auto count = static_cast<size_t>(decoder_->channels());
  size_t done = 0;
  while (done < mono.size()) {
    const size_t wanted = std::min(mono.size() - done, kBlockFrames);
    const size_t got = read_block(mono.subspan(done, wanted));
    if (!channels.empty())
      std::copy_n(block_.begin(), got * count, channels.subspan(done * count).begin());
    done += got;
    if (got < wanted) break;
  }
  return done;
}

size_t SoundReader::Impl::read_block(std::span<float> mono) {
  const auto channels = static_cast<size_t>(decoder_->channels());
  size_t frames = 0;
  try {
    frames = decoder_->read(std::span(block_).first(mono.size() * channels));
  } catch (const Error& error) {
    throw Error(error.code(), name_, ": cannot be decoded behind sample ", frames_, ": ",
                error.what());
  }
  mix(frames, mono);
  frames_ += frames;
  if (static_cast<double>(frames_) > limits_.max_seconds * decoder_->rate_hz()) {
    refuse("longer than ", limits_.max_seconds, " s");
  }
  return frames;
}

void SoundReader::Impl::mix(size_t frames, std::span<float> mono) {
  const auto channels = static_cast<size_t>(decoder_->channels());
  for (size_t i = 0; i < frames; ++i) {
    double sum = 0;
    for (size_t c = 0; c < channels; ++c) sum += static_cast<double>(block_[i * channels + c]);
    mono[i] = static_cast<float>(sum / static_cast<double>(channels));
    if (!std::isfinite(mono[i])) refuse("sample ", frames_ + i, " is not a finite number");
  }
}

SoundReader::SoundReader(const std::filesystem::path& path, const SoundLimits& limits)
    : impl_(std::make_unique<Impl>(ByteSource(path), path.string(), limits)) {}

SoundReader::SoundReader(std::span<const std::byte> bytes, std::string name,
                         const SoundLimits& limits)
    : impl_(std::make_unique<Impl>(ByteSource(bytes), std::move(name), limits)) {}

SoundReader::SoundReader(SoundReader&&) noexcept = default;
SoundReader& SoundReader::operator=(SoundReader&&) noexcept = default;
SoundReader::~SoundReader() = default;

SoundKind SoundReader::kind() const { return impl_->kind(); }
int SoundReader::rate_hz() const { return impl_->decoder().rate_hz(); }
int SoundReader::channels() const { return impl_->decoder().channels(); }
size_t SoundReader::read(std::span<float> mono) { return impl_->read(mono, {}); }
size_t SoundReader::read(std::span<float> mono, std::span<float> channels) {
  return impl_->read(mono, channels);
}

namespace {

Sound read_all(SoundReader reader) {
  Sound sound{.samples = {}, .rate_hz = reader.rate_hz(), .channels = reader.channels()};
  // Grows with what was decoded, never with what a header says.
  while (true) {
    const size_t begin = sound.samples.size();
    sound.samples.resize(begin + kBlockFrames);
    const size_t got = reader.read(std::span(sound.samples).subspan(begin));
    sound.samples.resize(begin + got);
    if (got < kBlockFrames) return sound;
  }
}

}  // namespace

Sound read_sound(const std::filesystem::path& path, const SoundLimits& limits) {
  return read_all(SoundReader(path, limits));
}

Sound read_sound(std::span<const std::byte> bytes, const std::string& name,
                 const SoundLimits& limits) {
  return read_all(SoundReader(bytes, name, limits));
}

}  // namespace kani
