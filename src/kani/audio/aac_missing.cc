// aac_missing.cc - what a build without vo-aacenc answers (see aac_encoder.cc).
#include "kani/audio/encoder.h"
#include "kani/base/error.h"

namespace kani {

bool have_aac_encoder() noexcept { return false; }

std::unique_ptr<SoundEncoder> make_aac_encoder(const EncoderSettings&, ByteTarget&) {
  throw Error(ErrorCode::kUnsupported, "this build cannot write aac");
}

}  // namespace kani
