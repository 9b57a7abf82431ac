// voice_store.cc - see voice_store.h.
#include "kani/engine/voice_store.h"

#include <algorithm>

#include "kani/engine/model_files.h"
#include "kani/formats/voice_file.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// [A-Za-z0-9][A-Za-z0-9._-]{0,63} without ".."
bool is_voice_name(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (name.empty() || name.size() > 64 || !plain(name[0]) || name.find("..") != std::string::npos)
    return false;
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_voice_ending(const fs::path& ending) {
  return ending == ".safetensors" || ending == ".pt" || ending == ".npy" || ending == ".json";
}

}  // namespace

VoiceStore::VoiceStore(const fs::path& set) {
  if (!set.empty()) {
    add_folder(set / "voices");
    if (entries_.size() == 1) default_ = entries_[0].name;
    for (const VoiceEntry& entry : entries_) {
      if (entry.name == "default") default_ = entry.name;
    }
  }
  add_folder(user_data_folder() / "kani" / "voices");
  add_folder("/usr/share/kani/voices");
}

void VoiceStore::add_folder(const fs::path& folder) {
  std::error_code error;
  std::vector<VoiceEntry> found;
  for (const fs::directory_entry& file : fs::directory_iterator(folder, error)) {
    const std::string name = file.path().stem().string();
    if (is_voice_name(name) && is_voice_ending(file.path().extension()))
      found.push_back({name, file.path()});
  }
  std::sort(found.begin(), found.end(),
            [](const VoiceEntry& a, const VoiceEntry& b) { return a.path < b.path; });
  for (VoiceEntry& voice : found) {
    const bool known = std::any_of(entries_.begin(), entries_.end(), [&](const VoiceEntry& other) {
      return lower(other.name) == lower(voice.name);
    });
    if (!known) entries_.push_back(std::move(voice));
  }
}

Voice VoiceStore::load(const std::string& name_or_path, size_t expected) const {
  for (const VoiceEntry& entry : entries_) {
    if (lower(entry.name) != lower(name_or_path)) continue;
    Voice voice = load_voice_file(entry.path, expected);
    voice.name = entry.name;
    return voice;
  }
  std::error_code ignored;
  if (fs::exists(name_or_path, ignored)) return load_voice_file(name_or_path, expected);
  std::string known;
  for (const VoiceEntry& entry : entries_) known += (known.empty() ? "" : ", ") + entry.name;
  throw Error(ErrorCode::kNotFound, "no such voice: ", printable(name_or_path))
      .with_hint(known.empty() ? "there are no named voices here; give the path of a voice file"
                               : "known voices: " + printable(known, 400));
}

Voice load_voice_file(const fs::path& path, size_t expected) {
  VoiceFile file = read_voice_file(path);
  if (file.values.size() != expected) {
    throw Error(ErrorCode::kBadInput, path, ": voice has ", file.values.size(),
                " numbers, the model takes ", expected)
        .with_hint("it was made by another speaker encoder");
  }
  Voice voice;
  voice.name = file.metadata.contains("name") ? file.metadata["name"] : path.stem().string();
  voice.language = file.metadata.contains("language") ? file.metadata["language"] : "";
  voice.values = std::move(file.values);
  voice.path = path;
  return voice;
}

std::vector<VoiceEntry> list_voices(const fs::path& model) {
  fs::path set;
  find_language_model(model, set);
  return VoiceStore(set).entries();
}

}  // namespace kani
