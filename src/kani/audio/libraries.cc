// libraries.cc - see libraries.h.
#include "kani/audio/libraries.h"

#include <lame/lame.h>
#include <sndfile.h>
#include <soxr.h>

namespace kani {

std::vector<std::pair<std::string, std::string>> audio_libraries() {
  return {
      {"libsndfile", sf_version_string()}, {"lame", get_lame_version()}, {"soxr", soxr_version()}};
}

}  // namespace kani
