// manifest_layouts.cc - folders of well-known corpora, which keep sounds and texts apart: VCTK,
// Common Voice, LJSpeech; and speakers from the names of LibriTTS.  Source: training.md 15.1.
#include <algorithm>
#include <set>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/dataset/manifest_parts.h"
#include "kani/dataset/recording_rows.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// wav48, wav48_silence_trimmed, …: names below the folder, in order.
std::vector<std::string> vctk_sound_folders(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entries(folder, error), end; !error && entries != end;
       entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    if (name.starts_with("wav48") && is_folder(entries->path())) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// txt/SPEAKER/NAME.txt beside wav48*/SPEAKER/NAME_mic1.flac, NAME_mic2.flac or NAME.wav.  One
/// recording of a text: the same breath through two microphones is no second clip.
std::vector<SourceRecord> read_vctk(const fs::path& folder,
                                    const std::vector<std::string>& sound_folders) {
  std::vector<SourceRecord> records;
  std::set<std::string> taken;
  for (const std::string& sounds : sound_folders) {
    for (const std::string& sound : find_sounds(folder / sounds)) {
      const fs::path path(sound);
      std::string name = path.stem().string();
      for (const std::string_view microphone : {"_mic1", "_mic2"}) {
        if (name.ends_with(microphone)) name.erase(name.size() - microphone.size());
      }
      const fs::path speaker = path.parent_path();
      if (!taken.insert((speaker / name).string()).second) continue;
      SourceRecord record;
      record.audio = (fs::path(sounds) / path).string();
      record.speaker = speaker.filename().string();
      const fs::path text = folder / "txt" / speaker / (name + ".txt");
      if (is_file(text)) {
        read_text_file(text, record);
      } else {
        record.problem = Reject{RejectReason::kTextMissing,
                                {},
                                concat("no ", (fs::path("txt") / speaker / name).string(), ".txt")};
      }
      records.push_back(std::move(record));
    }
  }
  return records;
}

}  // namespace

bool is_set_folder(const fs::path& folder) {
  if (is_file(folder / "state.json") || is_file(folder / "dataset_dict.json")) return true;
  std::error_code error;
  for (fs::recursive_directory_iterator
           entries(folder, fs::directory_options::skip_permission_denied, error),
       end;
       !error && entries != end; entries.increment(error)) {
    if (entries->path().extension() == ".parquet") return true;
  }
  return false;
}

std::optional<std::vector<SourceRecord>> read_known_layout(const fs::path& folder) {
  if (is_folder(folder / "txt")) {
    const std::vector<std::string> sounds = vctk_sound_folders(folder);
    if (!sounds.empty()) return read_vctk(folder, sounds);
  }
  for (const auto& [table, sounds] :
       {std::pair{"validated.tsv", "clips"}, {"metadata.csv", "wavs"}}) {
    if (is_file(folder / table) && is_folder(folder / sounds))
      return read_table_file(folder / table);
  }
  return std::nullopt;
}

void find_in_clips(const fs::path& folder, std::vector<SourceRecord>& records) {
  if (!is_folder(folder / "clips")) return;
  for (SourceRecord& record : records) {
    if (record.audio.empty() ||
        record.audio.find_first_of(std::string_view("/\0", 2)) != record.audio.npos)
      continue;
    if (!is_file(folder / record.audio)) record.audio.insert(0, "clips/");
  }
}

std::string libritts_speaker(const fs::path& audio) {
  const std::string chapter = audio.parent_path().filename().string();
  const std::string speaker = audio.parent_path().parent_path().filename().string();
  const bool is_one = !speaker.empty() && !chapter.empty() &&
                      audio.filename().string().starts_with(concat(speaker, "_", chapter, "_"));
  return is_one ? speaker : std::string();
}

}  // namespace kani
