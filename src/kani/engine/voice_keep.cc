// voice_keep.cc - adding voices to a folder and removing them.  Files appear whole or not at all;
// what is written is for its owner alone, because a voice is a person's.
#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "kani/base/file.h"
#include "kani/engine/voice_files.h"
#include "kani/engine/voice_names.h"
#include "kani/formats/voice_file.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

// The folder itself is for the owner alone if it is made here.
void make_folder(const fs::path& folder) {
  std::error_code error;
  if (!fs::create_directories(folder, error)) {
    if (error) throw_cannot_write(folder, error.value());
    return;
  }
  fs::permissions(folder, fs::perms::owner_all, error);
  if (error) throw_cannot_write(folder, error.value());
}

void copy_privately(const fs::path& from, const fs::path& to) {
  const InputFile source(from);
  AtomicFile target(to, AtomicFile::Access::kOwnerOnly);
  std::vector<std::byte> block(1 << 18);
  uint64_t offset = 0;
  while (const size_t got = source.read_at(offset, block)) {
    target.write(std::span(block).first(got));
    offset += got;
  }
  target.commit();
}

bool is_recordings_folder(const fs::path& path, std::string_view id) {
  return path.extension() == ".recordings" && equal_without_case(path.stem().string(), id);
}

/// Everything in `home` that belongs to the voice: its files in all formats, its recordings.
std::vector<fs::path> parts_of(const fs::path& home, std::string_view id) {
  std::vector<fs::path> parts;
  std::error_code error;
  for (fs::directory_iterator at(home, error), end; !error && at != end; at.increment(error)) {
    const fs::path& path = at->path();
    const bool file = is_voice_file_name(path) && equal_without_case(path.stem().string(), id);
    if (file || is_recordings_folder(path, id)) parts.push_back(path);
  }
  std::sort(parts.begin(), parts.end());
  return parts;
}

// Links are removed, never followed.
void remove_part(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) {
    throw Error(ErrorCode::kCannotWrite, "cannot remove ", path, ": ", error.message());
  }
}

/// Copies of recordings in a new folder under a name nobody looks at; without keep() they are
/// removed again.
class KeptRecordings {
 public:
  KeptRecordings(const fs::path& home, const std::vector<fs::path>& recordings) {
    if (recordings.empty()) return;
    std::string name = home / ".recordings.XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw_cannot_write(home, errno);
    folder_ = name;
    try {
      for (size_t i = 0; i < recordings.size(); ++i) {
        copy_privately(recordings[i], folder_ / concat(i + 1, recordings[i].extension().string()));
      }
    } catch (...) {
      discard();
      throw;
    }
  }
  KeptRecordings(const KeptRecordings&) = delete;
  KeptRecordings& operator=(const KeptRecordings&) = delete;
  ~KeptRecordings() { discard(); }

  void keep(const fs::path& folder) {
    if (folder_.empty()) return;
    std::error_code error;
    fs::rename(folder_, folder, error);
    if (error) throw_cannot_write(folder, error.value());
    folder_.clear();
  }

 private:
  void discard() noexcept {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  fs::path folder_;
};

}  // namespace

void VoiceLibrary::check_new(std::string_view name, bool replace) const {
  require(is_voice_id(name) && !equal_without_case(name, "random"), "a voice cannot be called \"",
          printable(name), "\"");
  if (const auto at = ids_.find(lower_case(name)); at != ids_.end()) {
    const VoiceEntry& there = entries_[at->second];
    // A folder that is named comes before the model's, the user's behind it.
    const bool hides = options_.folders.empty() && there.place == VoicePlace::kSet;
    if (hides) {
      throw Error(ErrorCode::kCannotWrite, "voice ", name, " would be hidden by ", there.path)
          .with_hint("give it another name");
    }
  }
  const std::vector<fs::path> old = parts_of(home_, name);
  if (old.empty() || replace) return;
  throw Error(ErrorCode::kCannotWrite, "voice ", name, " exists already: ", old.front())
      .with_hint("--force replaces it");
}

// The voice appears whole, then what belonged to an older one goes.
fs::path VoiceLibrary::add(const Voice& voice, const AddOptions& options) {
  check_new(voice.name, options.replace);
  make_folder(home_);
  const std::vector<fs::path> old = parts_of(home_, voice.name);
  KeptRecordings kept(home_, options.recordings);
  const fs::path path = home_ / (voice.name + ".safetensors");
  std::map<std::string, std::string> details = voice.details;
  if (!voice.language.empty()) details["language"] = voice.language;
  details.emplace("name", voice.name);
  write_voice(path, VoiceFormat::kSafetensors, voice.values, details,
              AtomicFile::Access::kOwnerOnly);
  for (const fs::path& part : old) {
    if (part != path) remove_part(part);
  }
  kept.keep(home_ / (voice.name + ".recordings"));
  scan();
  return path;
}

std::vector<fs::path> VoiceLibrary::remove(std::string_view name) {
  const VoiceEntry* entry = find_own(name);
  if (entry == nullptr) throw no_such_voice(std::string(name));
  if (entry->path.parent_path() != home_) {
    throw Error(ErrorCode::kCannotWrite, "voice ", entry->name, " is not one of ", home_, ": ",
                entry->path)
        .with_hint(entry->place == VoicePlace::kFolder
                       ? "name its folder first with --voices"
                       : "voices of models and of the system stay; remove the file itself");
  }
  const std::string id = entry->name;
  const std::vector<fs::path> parts = parts_of(home_, id);
  for (const fs::path& part : parts) remove_part(part);
  scan();
  return parts;
}

}  // namespace kani
