// manifest.cc - which form a manifest has, the form of a folder, and what all forms share.
#include "kani/dataset/manifest.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/utf8.h"
#include "kani/dataset/manifest_parts.h"
#include "kani/dataset/out_folder.h"
#include "kani/dataset/passed_over.h"
#include "kani/dataset/recording.h"
#include "kani/dataset/recording_rows.h"
#include "kani/dataset/recording_tar.h"
#include "kani/dataset/without_path.h"
#include "kani/spec/lfm2.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostManifestBytes = uint64_t{4} << 30;
constexpr uint64_t kMostTextBytes = 1 << 16;  // of a file beside a sound
constexpr uint64_t kMostJsonBytes = 1 << 24;  // which may have the times of hours of words
// What a sound's name may end with.  AAC (.m4a, .aac) cannot be decoded here: it is counted, as
// rejects that say so, rather than passed over.
const std::set<std::string> kSoundEndings = {".wav", ".flac", ".mp3", ".ogg",
                                             ".oga", ".opus", ".m4a", ".aac"};

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

uint64_t most_bytes(const fs::path& text) {
  return text.extension() == ".json" ? kMostJsonBytes : kMostTextBytes;
}

// The text of a sound from what lies beside it.
void read_beside(const fs::path& sound, SourceRecord& record) {
  for (const char* ending : {".normalized.txt", ".txt", ".lab", ".json"}) {
    fs::path beside = sound;
    beside.replace_extension(ending);
    if (!is_there(beside)) continue;
    read_text_file(beside, record);
    return;
  }
  record.problem = Reject{RejectReason::kTextMissing, {}, "no text file beside it"};
}

/// A language becomes a tag in front of the text, and part of a model's configuration.
void check_language(SourceRecord& record) {
  if (record.problem || record.language.empty() || is_language_tag(record.language)) return;
  record.problem = Reject{RejectReason::kManifest,
                          {},
                          concat("its language is \"", printable(record.language, 40),
                                 "\", expected ", kLanguageTagRule)};
}

}  // namespace

bool is_sound_name(const fs::path& path) {
  return kSoundEndings.contains(lower(path.extension().string()));
}

std::string speaker_folder(const fs::path& audio, bool first) {
  const fs::path folder = audio.parent_path();
  if (folder.empty()) return {};
  return (first ? *folder.begin() : folder.filename()).string();
}

ManifestField manifest_field(std::string_view name) {
  static const std::map<std::string, ManifestField, std::less<>> kFields = {
      {"audio", ManifestField::kAudio},
      {"path", ManifestField::kAudio},
      {"file", ManifestField::kAudio},
      {"audio_filepath", ManifestField::kAudio},
      {"audio_path", ManifestField::kAudio},
      {"wav", ManifestField::kAudio},
      {"text", ManifestField::kText},
      {"sentence", ManifestField::kText},
      {"transcript", ManifestField::kText},
      {"transcription", ManifestField::kText},
      {"normalized_text", ManifestField::kNormalizedText},
      {"text_normalized", ManifestField::kNormalizedText},
      {"language", ManifestField::kLanguage},
      {"lang", ManifestField::kLanguage},
      {"locale", ManifestField::kLanguage},
      {"speaker", ManifestField::kSpeaker},
      {"speaker_id", ManifestField::kSpeaker},
      {"client_id", ManifestField::kSpeaker},
      {"source", ManifestField::kSource},
      {"licence", ManifestField::kLicence},
      {"license", ManifestField::kLicence},
      {"start", ManifestField::kStart},
      {"end", ManifestField::kEnd},
      {"offset", ManifestField::kOffset},
      {"duration", ManifestField::kDuration}};
  const auto found = kFields.find(lower(std::string(name)));
  return found == kFields.end() ? ManifestField::kNone : found->second;
}

void set_field(SourceRecord& record, RecordTimes& times, ManifestField field,
               std::string_view value) {
  const auto seconds = [&](const char* name) -> std::optional<double> {
    const std::string_view digits = trimmed(value);
    if (digits.empty()) return std::nullopt;
    double number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && end == digits.data() + digits.size() && std::isfinite(number))
      return number;
    record.problem = Reject{RejectReason::kManifest,
                            {},
                            concat(name, " is \"", printable(digits, 40), "\", expected seconds")};
    return std::nullopt;
  };
  switch (field) {
    case ManifestField::kNone:
      break;
    case ManifestField::kAudio:
      if (record.audio.empty()) record.audio = value;
      break;
    case ManifestField::kText:
      if (!times.has_normalized_text) record.text = value;
      break;
    case ManifestField::kNormalizedText:
      if (trimmed(value).empty()) break;
      record.text = value;
      times.has_normalized_text = true;
      break;
    case ManifestField::kLanguage:
      record.language = trimmed(value);
      break;
    case ManifestField::kSpeaker:
      record.speaker = trimmed(value);
      break;
    case ManifestField::kSource:
      record.source = trimmed(value);
      break;
    case ManifestField::kLicence:
      record.licence = trimmed(value);
      break;
    case ManifestField::kStart:
      times.start = seconds("start");
      break;
    case ManifestField::kEnd:
      times.end = seconds("end");
      break;
    case ManifestField::kOffset:
      times.offset = seconds("offset");
      break;
    case ManifestField::kDuration:
      times.duration = seconds("duration");
      break;
  }
}

void finish_times(SourceRecord& record, const RecordTimes& times) {
  if (times.start) record.start_s = *times.start;
  if (times.end) record.end_s = *times.end;
  // A duration alone tells how long the file is; with an offset it is a stretch.
  if (times.offset && !times.start && !times.end) {
    record.start_s = *times.offset;
    if (times.duration) record.end_s = *times.offset + *times.duration;
  }
}

std::string_view without_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Names go into files that are UTF-8, and a NUL would cut a path short.
void check_names(SourceRecord& record) {
  for (const auto& [what, text] : {std::pair{"audio", &record.audio},
                                   {"language", &record.language},
                                   {"speaker", &record.speaker},
                                   {"source", &record.source},
                                   {"licence", &record.licence}}) {
    if (!find_invalid_utf8(*text) && text->find('\0') == std::string::npos) continue;
    if (!record.problem)
      record.problem = Reject{RejectReason::kManifest, {}, concat("its ", what, " is no text")};
    *text = replace_invalid_utf8(*text);
  }
}

void read_text_file(const fs::path& path, SourceRecord& record) {
  std::error_code error;
  if (const auto size = fs::file_size(path, error); !error && !check_text_size(path, size, record))
    return;
  try {
    take_text(path, read_file(path, most_bytes(path)), record);
  } catch (const Error& reason) {
    record.problem = Reject{
        RejectReason::kManifest, {}, without_path(reason.what(), path, path.filename().string())};
  }
}

bool check_text_size(const fs::path& name, uint64_t bytes, SourceRecord& record) {
  if (bytes <= most_bytes(name)) return true;
  record.problem = Reject{RejectReason::kTextLength, static_cast<double>(bytes),
                          concat(name.filename(), " has ", bytes, " bytes")};
  return false;
}

void take_text(const fs::path& name, std::string_view content, SourceRecord& record) {
  try {
    if (name.extension() == ".json") {
      read_json_record(without_mark(content), name.filename().string(), record);
    } else {
      record.text = trimmed(without_mark(content));
    }
  } catch (const Error& reason) {
    record.problem = Reject{RejectReason::kManifest, {}, reason.what()};
  }
}

std::vector<std::string> find_sounds(const fs::path& folder) {
  std::vector<std::string> sounds;
  std::error_code error;
  fs::recursive_directory_iterator entries(folder, fs::directory_options::skip_permission_denied,
                                           error);
  if (error) throw Error(ErrorCode::kBadInput, folder, ": cannot be read: ", error.message());
  PassedOver passed;
  for (; entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    if (error) throw Error(ErrorCode::kBadInput, folder, ": cannot be read: ", error.message());
    const fs::path& path = entries->path();
    if (entries->is_directory(error) && is_built_set(path)) {
      entries.disable_recursion_pending();  // the set of an earlier build: its samples are no
                                            // recordings
      continue;
    }
    passed.see(*entries);
    if (is_sound_name(path) && !entries->is_directory(error))
      sounds.push_back(path.lexically_relative(folder).string());
  }
  passed.warn_of_folders(folder);
  if (!sounds.empty()) passed.warn_of_files(folder, PassedOver::Taken::kSounds);
  std::sort(sounds.begin(), sounds.end());
  return sounds;
}

std::vector<SourceRecord> read_folder(const fs::path& folder, bool speaker_folders) {
  if (auto records = read_known_layout(folder)) return std::move(*records);
  std::vector<SourceRecord> records;
  for (std::string& sound : find_sounds(folder)) {
    SourceRecord record;
    record.audio = std::move(sound);
    read_beside(folder / record.audio, record);
    if (record.speaker.empty()) record.speaker = libritts_speaker(record.audio);
    records.push_back(std::move(record));
  }
  if (!records.empty()) return records;
  for (const fs::path& tar : find_tars(folder)) {
    for (SourceRecord& record : read_recording_tar(tar, folder, speaker_folders))
      records.push_back(std::move(record));
  }
  if (records.empty() && is_set_folder(folder)) return read_recording_rows(folder, folder);
  return records;
}

std::vector<SourceRecord> read_table_file(const fs::path& path) {
  const std::string content = read_file(path, kMostManifestBytes);
  std::vector<SourceRecord> records =
      read_table(without_mark(content), path.string(), lower(path.extension().string()) == ".tsv");
  find_in_clips(path.parent_path(), records);
  return records;
}

Manifest read_manifest(const fs::path& path, const ManifestDefaults& defaults) {
  Manifest manifest;
  std::error_code error;
  if (!fs::exists(path, error)) throw Error(ErrorCode::kNotFound, "no file or folder at ", path);
  const bool is_folder = fs::is_directory(path, error);
  fs::path name = path.filename().empty() ? path.parent_path().filename() : path.filename();
  if (is_folder) {
    manifest.folder = path;
    manifest.records = read_folder(path, defaults.speaker_folders);
    if (name == "." || name == "..") name = fs::weakly_canonical(path, error).filename();
  } else {
    manifest.folder = path.parent_path();
    const std::string ending = lower(path.extension().string());
    if (ending == ".csv" || ending == ".tsv") {
      manifest.records = read_table_file(path);
    } else if (ending == ".jsonl" || ending == ".json" || ending == ".ndjson") {
      const std::string content = read_file(path, kMostManifestBytes);
      // Without the folder: its name goes into rejects, which are to be the same everywhere.
      manifest.records = read_json_lines(without_mark(content), path.filename().string());
    } else if (ending == ".parquet" || ending == ".arrow") {
      manifest.records = read_recording_rows(path, manifest.folder);
    } else if (ending == ".tar") {
      manifest.records = read_recording_tar(path, manifest.folder, defaults.speaker_folders);
    } else if (is_packed_archive(path)) {
      refuse_packed_archive(path);
    } else {
      throw Error(ErrorCode::kBadInput, path, ": not a manifest that is known by its ending")
          .with_hint("a folder of recordings, or a file .jsonl, .csv, .tsv, .parquet or .tar");
    }
    name = name.stem();
  }
  if (manifest.records.empty()) {
    throw Error(ErrorCode::kBadInput, path, ": no recordings in it")
        .with_hint("sound files with NAME.txt beside, or a line for each recording");
  }
  for (SourceRecord& record : manifest.records) {
    if (record.language.empty()) record.language = defaults.language;
    if (record.speaker.empty() && defaults.speaker_folders && record.row < 0)
      record.speaker = speaker_folder(record.audio, is_folder);
    if (record.speaker.empty()) record.speaker = defaults.speaker;
    if (record.licence.empty()) record.licence = defaults.licence;
    if (record.source.empty())
      record.source = defaults.source.empty() ? name.string() : defaults.source;
    check_names(record);
    check_language(record);
    if (record.audio.empty() && !record.problem)
      record.problem = Reject{RejectReason::kManifest, {}, "it names no audio"};
  }
  return manifest;
}

}  // namespace kani
