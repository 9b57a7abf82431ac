// voice_store.cc - the table of voices: what lies in the folders, and by which names it is found.
// A name is looked up in the table; it is never joined to a path.  Loading and mixing are
// voice_load.cc, adding and removing voice_keep.cc.
// Source: interfaces.md 8.1, 8.3.
#include <algorithm>

#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/engine/model_files.h"
#include "kani/engine/voice_files.h"
#include "kani/engine/voice_names.h"
#include "kani/voice.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxVoices = 10'000;
constexpr uint64_t kMaxNamesFile = 4 << 20;

// Our own format wins over others of the same name, then the order of names decides; never the
// order of the folder.
bool comes_before(const fs::path& a, const fs::path& b) {
  const bool own_a = a.extension() == ".safetensors", own_b = b.extension() == ".safetensors";
  return own_a != own_b ? own_a : a < b;
}

std::vector<fs::path> voice_files_in(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> files;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const fs::path& path = at->path();
    if (is_voice_file_name(path)) files.push_back(path);
  }
  std::sort(files.begin(), files.end(), comes_before);
  return files;
}

// A broken file of names hides nothing but these names.
template <typename Parse>
auto names_in(const fs::path& path, Parse parse) -> decltype(parse(std::string_view(), path)) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return {};
  try {
    return parse(read_file(path, kMaxNamesFile), path.string());
  } catch (const Error& error) {
    log_warning("voices", error.what(), "; its names are left out");
    return {};
  }
}

auto speaker_map_in(const fs::path& folder) {
  return names_in(folder / kSpeakerMapFile, [](std::string_view json, const fs::path& where) {
    return parse_speaker_map(json, where.string());
  });
}

// The voice called "default" by its file or by the map of names, else the only one.
std::string default_in(const fs::path& folder) {
  std::error_code ignored;
  std::map<std::string, std::string> ids;  // in lower case: as they are
  for (const fs::path& path : voice_files_in(folder, ignored)) {
    const std::string id = path.stem().string();
    ids.emplace(lower_case(id), id);
  }
  if (const auto at = ids.find("default"); at != ids.end()) return at->second;
  for (const auto& [name, file] : speaker_map_in(folder)) {
    if (name == "default") return fs::path(file).stem().string();
  }
  return ids.size() == 1 ? ids.begin()->second : std::string();
}

}  // namespace

std::string_view voice_place_name(VoicePlace place) {
  constexpr std::string_view kNames[] = {"folder", "model", "user", "system"};
  return kNames[static_cast<size_t>(place)];
}

VoiceLibrary::VoiceLibrary(const VoiceLibraryOptions& options) : options_(options) {
  const KnownModel model = known_model(options.model, options.voice_length);
  set_ = model.set;
  options_.voice_length = model.voice_length;
  for (fs::path& folder : options_.folders) {
    if (folder.filename().empty()) folder = folder.parent_path();  // a slash at the end
    std::error_code error;
    voice_files_in(folder, error);
    if (error) {
      throw Error(ErrorCode::kNotFound, "cannot read the voice folder ",
                  printable(folder.string(), 200), ": ", error.message());
    }
  }
  home_ = options_.folders.empty() ? user_data_folder() / "kani" / "voices" : options_.folders[0];
  scan();
}

void VoiceLibrary::scan() {
  entries_.clear();
  ids_.clear();
  display_names_.clear();
  aliases_.clear();
  openai_.clear();
  default_.clear();
  for (const fs::path& folder : options_.folders) add_folder(folder, VoicePlace::kFolder);
  if (!set_.empty()) {
    add_folder(set_ / "voices", VoicePlace::kSet);
    default_ = default_in(set_ / "voices");
  }
  add_folder(user_data_folder() / "kani" / "voices", VoicePlace::kUser);
  add_folder("/usr/share/kani/voices", VoicePlace::kSystem);
  for (size_t i = 0; i < entries_.size(); ++i) display_names_.emplace(entries_[i].display_name, i);
}

void VoiceLibrary::add_folder(const fs::path& folder, VoicePlace place) {
  std::error_code error;
  for (const fs::path& path : voice_files_in(folder, error)) {
    if (entries_.size() == kMaxVoices) {
      log_warning("voices", "more than ", kMaxVoices, " voices; those behind ", path,
                  " are left out");
      return;
    }
    const std::string id = path.stem().string();
    if (!ids_.emplace(lower_case(id), entries_.size()).second) continue;
    entries_.push_back(describe_voice_file(id, path, place));
  }
  add_mapped(folder, place);
  add_openai_names(folder);
}

// speaker_map.json names files of its folder, or below it.
void VoiceLibrary::add_mapped(const fs::path& folder, VoicePlace place) {
  for (const auto& [name, file] : speaker_map_in(folder)) {
    const fs::path path = folder / file;
    const std::string id = path.stem().string();
    std::error_code ignored;
    if (!is_voice_file_name(path) || !fs::exists(path, ignored)) continue;
    const auto [known, is_new] = ids_.emplace(lower_case(id), entries_.size());
    if (is_new && entries_.size() < kMaxVoices) {
      entries_.push_back(describe_voice_file(id, path, place));
    } else if (is_new) {
      ids_.erase(known);
      return;
    }
    aliases_.emplace(name, known->second);
  }
}

void VoiceLibrary::add_openai_names(const fs::path& folder) {
  for (const auto& [name, voice] :
       names_in(folder / kOpenAiVoicesFile, [](std::string_view json, const fs::path&where) {
         return parse_openai_voices(json, where.string());
       })) {
    openai_.emplace(name, voice);
  }
}

const VoiceEntry* VoiceLibrary::find_own(std::string_view name) const {
  if (const auto at = ids_.find(lower_case(name)); at != ids_.end()) return &entries_[at->second];
  const std::string exact(name);
  for (const auto* names : {&display_names_, &aliases_}) {
    if (const auto at = names->find(exact); at != names->end()) return &entries_[at->second];
  }
  return nullptr;
}

const VoiceEntry* VoiceLibrary::find_openai(std::string_view name) const {
  const std::string key = lower_case(name);
  const auto known = std::find(kOpenAiVoices.begin(), kOpenAiVoices.end(), key);
  if (known == kOpenAiVoices.end()) return nullptr;
  if (const auto at = openai_.find(key); at != openai_.end()) {
    if (const VoiceEntry* voice = find_own(at->second)) return voice;
    log_warning("voices", kOpenAiVoicesFile, " gives ", key, " to ", printable(at->second),
                ", which is not there");
  }
  std::vector<const VoiceEntry*> usable;
  for (const VoiceEntry& entry : entries_) {
    const bool fits = options_.voice_length == 0 || entry.length == options_.voice_length;
    if (entry.length > 0 && fits) usable.push_back(&entry);
  }
  if (usable.empty()) return nullptr;
  return usable[static_cast<size_t>(known - kOpenAiVoices.begin()) % usable.size()];
}

const VoiceEntry* VoiceLibrary::find(std::string_view name) const {
  const VoiceEntry* own = find_own(name);
  return own != nullptr ? own : find_openai(name);
}

std::vector<VoiceEntry> list_voices(const fs::path& model) {
  return VoiceLibrary({.model = model}).entries();
}

std::vector<ForeignVoice> foreign_voices(const fs::path& folder) {
  std::error_code error;
  const std::vector<fs::path> files = voice_files_in(folder, error);
  if (error) {
    throw Error(ErrorCode::kNotFound, "cannot read the folder ", printable(folder.string(), 200),
                ": ", error.message());
  }
  std::vector<ForeignVoice> voices;
  if (const fs::path map = folder / kSpeakerMapFile; fs::exists(map, error)) {
    for (const auto& [name, file] : parse_speaker_map(read_file(map, kMaxNamesFile), map.string()))
      voices.push_back({name, folder / file});
  }
  for (const fs::path& path : files) {
    const bool mapped = std::any_of(voices.begin(), voices.end(),
                                    [&](const ForeignVoice& voice) { return voice.path == path; });
    if (!mapped) voices.push_back({{}, path});
  }
  return voices;
}

}  // namespace kani
