// sndfile_decoder.cc - WAV, FLAC and Opus through libsndfile and its virtual files.
#include <sndfile.h>

#include <algorithm>
#include <initializer_list>
#include <string>

#include "kani/audio/decoder.h"
#include "kani/base/error.h"

namespace kani {
namespace {

SF_VIRTUAL_IO callbacks() {
  return {.get_filelen =
              [](void* source) {
                return static_cast<sf_count_t>(static_cast<ByteSource*>(source)->size());
              },
          .seek = [](sf_count_t offset, int whence, void* source) -> sf_count_t {
            return static_cast<ByteSource*>(source)->seek(offset, whence);
          },
          .read = [](void* out, sf_count_t count, void* source) -> sf_count_t {
            if (count <= 0) return 0;
            const std::span bytes(static_cast<std::byte*>(out), static_cast<size_t>(count));
            return static_cast<sf_count_t>(static_cast<ByteSource*>(source)->read(bytes));
          },
          .write = [](const void*, sf_count_t, void*) { return sf_count_t{0}; },
          .tell =
              [](void* source) {
                return static_cast<sf_count_t>(static_cast<ByteSource*>(source)->position());
              }};
}

// The encodings that are worth their decoders: no ADPCM, GSM, DWVW and other relics.
bool is_accepted(SoundKind kind, int format) {
  const int container = format & SF_FORMAT_TYPEMASK;
  const int encoding = format & SF_FORMAT_SUBMASK;
  const auto is_one_of = [](int value, std::initializer_list<int> list) {
    return std::find(list.begin(), list.end(), value) != list.end();
  };
  if (kind == SoundKind::kFlac) return container == SF_FORMAT_FLAC;
  if (kind == SoundKind::kOpus) return container == SF_FORMAT_OGG && encoding == SF_FORMAT_OPUS;
  return is_one_of(container, {SF_FORMAT_WAV, SF_FORMAT_WAVEX}) &&
         is_one_of(encoding,
                   {SF_FORMAT_PCM_U8, SF_FORMAT_PCM_16, SF_FORMAT_PCM_24, SF_FORMAT_PCM_32,
                    SF_FORMAT_FLOAT, SF_FORMAT_DOUBLE, SF_FORMAT_ULAW, SF_FORMAT_ALAW});
}

std::string encoding_name(int format) {
  SF_FORMAT_INFO encoding{};
  encoding.format = format & SF_FORMAT_SUBMASK;
  const int result = sf_command(nullptr, SFC_GET_FORMAT_INFO, &encoding, sizeof encoding);
  return result == 0 && encoding.name != nullptr ? encoding.name : "something unknown";
}

// libsndfile's message made like ours: lower case, no full stop.
std::string reason(SNDFILE* file) {
  std::string text = printable(sf_strerror(file), 120);
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a') {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

struct Close {
  void operator()(SNDFILE* file) const noexcept { sf_close(file); }
};

class SndfileDecoder : public SoundDecoder {
 public:
  SndfileDecoder(SoundKind kind, ByteSource& source) {
    file_.reset(sf_open_virtual(&callbacks_, SFM_READ, &info_, &source));
    if (!file_) throw Error(ErrorCode::kBadInput, reason(nullptr));
    if (!is_accepted(kind, info_.format)) {
      throw Error(ErrorCode::kBadInput, "encoded as ", encoding_name(info_.format),
                  ", expected PCM, float, FLAC, MP3, Vorbis or Opus");
    }
  }

  int rate_hz() const override { return info_.samplerate; }
  int channels() const override { return info_.channels; }

  size_t read(std::span<float> interleaved) override {
    const auto wanted = static_cast<sf_count_t>(interleaved.size()) / info_.channels;
    const sf_count_t got = sf_readf_float(file_.get(), interleaved.data(), wanted);
    if (got < wanted && sf_error(file_.get()) != SF_ERR_NO_ERROR) {
      throw Error(ErrorCode::kBadInput, reason(file_.get()));
    }
    return static_cast<size_t>(std::max<sf_count_t>(got, 0));
  }

 private:
  SF_VIRTUAL_IO callbacks_ = callbacks();
  SF_INFO info_{};
  std::unique_ptr<SNDFILE, Close> file_;
};

}  // namespace

std::unique_ptr<SoundDecoder> make_sndfile_decoder(SoundKind kind, ByteSource& source) {
  return std::make_unique<SndfileDecoder>(kind, source);
}

}  // namespace kani
