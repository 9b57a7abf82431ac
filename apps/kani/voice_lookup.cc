// voice_lookup.cc - see voice_lookup.h.
#include "apps/kani/voice_lookup.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace kani::cli {
namespace {

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string voice_in_folder(const std::string& folder, const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::directory_iterator files(folder, error);
  if (error) {
    throw Error(ErrorCode::kNotFound, "cannot read the voice folder ", printable(folder, 200), ": ",
                error.message());
  }
  std::vector<fs::path> matches;
  for (const fs::directory_entry& file : files) {
    const std::string ending = file.path().extension().string();
    const bool voice =
        ending == ".safetensors" || ending == ".pt" || ending == ".npy" || ending == ".json";
    if (voice && equal_without_case(file.path().stem().string(), name))
      matches.push_back(file.path());
  }
  if (matches.empty()) return {};
  return std::max_element(matches.begin(), matches.end(),
                          [](const fs::path& a, const fs::path& b) {
                            // Our own format wins; else the order of names decides, never the order
                            // of the folder.
                            const auto rank = [](const fs::path& path) {
                              return path.extension() == ".safetensors" ? 1 : 0;
                            };
                            return rank(a) != rank(b) ? rank(a) < rank(b) : b < a;
                          })
      ->string();
}

void VoiceLookup::set(SpeechRequest& request, const std::string& name) {
  if (name == "random") {
    request.random_voice = true;
  } else if (!name.empty()) {
    request.voice = find(name);
  }
}

const Voice& VoiceLookup::find(const std::string& name) {
  if (const auto at = found_.find(name); at != found_.end()) return at->second;
  for (const std::string& folder : folders_) {
    const std::string file = voice_in_folder(folder, name);
    if (!file.empty()) return found_[name] = engine_.voice(file);
  }
  return found_[name] = engine_.voice(name);
}

}  // namespace kani::cli
