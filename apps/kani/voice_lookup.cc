// voice_lookup.cc - see voice_lookup.h.
#include "apps/kani/voice_lookup.h"

namespace kani::cli {

void VoiceLookup::set(SpeechRequest& request, const std::string& name) {
  if (name.empty()) {
    request.voice = default_;
    return;
  }
  if (name == "random") {
    request.random_voice = true;
    return;
  }
  auto at = found_.find(name);
  if (at == found_.end()) at = found_.emplace(name, engine_.voice(name)).first;
  request.voice = at->second;
}

}  // namespace kani::cli
