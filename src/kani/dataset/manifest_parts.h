// manifest_parts.h - the forms of a manifest, each in a file of its own.  Private to dataset/.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kani/dataset/manifest.h"

namespace kani {

/// Field of a record that a key or column means; kNone for keys that do not matter.
enum class ManifestField {
  kNone,
  kAudio,
  kText,
  kNormalizedText,
  kLanguage,
  kSpeaker,
  kSource,
  kLicence,
  kStart,
  kEnd,
  kOffset,
  kDuration
};
ManifestField manifest_field(std::string_view name);

/// Puts one value where it belongs; numbers are parsed.  Start, end, offset and duration are
/// settled by finish_times().  What is no number becomes the record's problem.
struct RecordTimes {
  std::optional<double> start, end, offset, duration;
  bool has_normalized_text = false;
};
void set_field(SourceRecord& record, RecordTimes& times, ManifestField field,
               std::string_view value);
void finish_times(SourceRecord& record, const RecordTimes& times);

/// Text without a byte order mark in front and white space at the end.
std::string_view without_mark(std::string_view text);
std::string_view trimmed(std::string_view text);

/// Audio, language, speaker, source and licence must be UTF-8 without NUL: otherwise the record has
/// a problem, and bytes that are none become U+FFFD.
void check_names(SourceRecord& record);

/// Whether a file is taken for a sound, by its ending.
bool is_sound_name(const std::filesystem::path& path);
/// Of a folder of recordings the first folder in `audio`, which may have one for each chapter
/// below; elsewhere, where the first is often one for all sounds, the last.
std::string speaker_folder(const std::filesystem::path& audio, bool first);
/// Sounds below a folder, by their endings, in the order of their paths relative to it.  Warns of
/// what it passes over.
std::vector<std::string> find_sounds(const std::filesystem::path& folder);
/// The text of a file beside a sound; what is wrong with it becomes the record's problem.
void read_text_file(const std::filesystem::path& path, SourceRecord& record);
/// The same in two steps, of text that is elsewhere under such a name: whether so many bytes are to
/// be read, and what they say.
bool check_text_size(const std::filesystem::path& name, uint64_t bytes, SourceRecord& record);
void take_text(const std::filesystem::path& name, std::string_view content, SourceRecord& record);

std::vector<SourceRecord> read_folder(const std::filesystem::path& folder, bool speaker_folders);
/// Of a folder that is laid out like a known corpus; nothing if it is not.
std::optional<std::vector<SourceRecord>> read_known_layout(const std::filesystem::path& folder);
std::vector<SourceRecord> read_json_lines(std::string_view text, std::string_view name);
/// Throws Error(kBadInput) for a header without audio.
std::vector<SourceRecord> read_table(std::string_view text, std::string_view name, bool tabs);
std::vector<SourceRecord> read_table_file(const std::filesystem::path& path);
/// Common Voice's tables name files of clips/ beside them: such as are there get the folder.
void find_in_clips(const std::filesystem::path& folder, std::vector<SourceRecord>& records);
/// "103" of 103/1241/103_1241_000000_000001.wav, empty if a path is not like that.
std::string libritts_speaker(const std::filesystem::path& audio);
/// Fields of one object; also of NAME.json beside a sound.
void read_json_record(std::string_view json, std::string_view name, SourceRecord& record);

}  // namespace kani
