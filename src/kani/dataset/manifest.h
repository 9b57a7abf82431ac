// manifest.h - what recordings there are, who speaks and what they say: a folder, JSON lines, a
// table with a header, layouts of well-known corpora, a data set with sounds in its rows, or tars.
// Source: training.md 15.1.
// Not here: looking at the sound (recording.h) or the text (clip_text.h).
//
// Forms, told apart by name and first line:
//   folder      every sound file below it, in the order of its path; text from NAME.normalized.txt,
//               NAME.txt, NAME.lab, or "text" of NAME.json, which may also say language, speaker,
//               source, licence
//   VCTK        a folder with txt/SPEAKER/NAME.txt and wav48*/SPEAKER/NAME*; one of two microphones
//   CommonVoice a folder with validated.tsv and clips/; its other tables find clips/, too
//   LJSpeech    a folder with metadata.csv and wavs/
//   LibriTTS    a folder as above; the speaker is SPEAKER of SPEAKER/CHAPTER/SPEAKER_CHAPTER_….wav
//   .parquet    or a folder of them or of save_to_disk: recording_rows.h
//   .tar        or a folder of them, of WebDataset: recording_tar.h
//   .jsonl      an object a line (also .json and .ndjson, as NeMo's manifests); blank lines are
//               skipped
//   .csv .tsv   first line names the columns; .csv after RFC 4180, .tsv without quotes
//   a|b|c       LJSpeech: name without ending in wavs/, text, normalized text if there is one
// Keys and columns: audio (path, file, audio_filepath, audio_path, wav), text (sentence,
// transcript, transcription; normalized_text and text_normalized go before them), language (lang,
// locale), speaker (speaker_id, client_id), source, licence (license), start and end in seconds (or
// offset and duration).  Others are ignored. JSON lines may also say codes, a list of numbers for
// each codebook: what the stretch was encoded to elsewhere, all of it and as it is; the codec's own
// encoder is then not asked.  They and NAME.json may have segments (or words), a list of {start,
// end, text (or word)} in seconds, of what is said when: only cutting.h looks at it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kani/dataset/reject.h"

namespace kani {

/// What is said from when to when, in seconds from the beginning of a recording.
struct TimedText {
  double start_s = 0, end_s = 0;
  std::string text{};
};

/// One recording, or a stretch of one, with its text.
struct SourceRecord {
  std::string audio{};  // path, relative to Manifest::folder unless absolute
  std::string text{};   // bytes as they are in the file
  std::string language{}, speaker{}, source{}, licence{};
  double start_s = 0;                 // stretch of the recording
  double end_s = 0;                   // 0 = to its end
  std::vector<int32_t> codes{};       // [frames, codebooks]; empty = the codec's encoder makes them
  int codebooks = 0;                  // of codes
  std::vector<TimedText> segments{};  // begin one after the other; no end is before its start
  std::string segments_fault{};       // why they cannot be used; matters to who wants to
  /// Where the sound is a cell of a data set's file (recording_rows.h) or a member of an archive
  /// (recording_tar.h): that file, as audio else, and the row, or the byte that the member begins
  /// at; audio is then a name only.
  std::string set_file{};
  int64_t row = -1;
  int64_t member_bytes = -1;  // of an archive's member; -1 = it is none
  /// What made the line or the files beside unusable: the record is then only counted.
  std::optional<Reject> problem{};
};

/// For records that do not say it themselves.
struct ManifestDefaults {
  std::string language{}, speaker{}, licence{};
  std::string source{};  // empty = the name of the manifest or folder
  // The speaker is a folder: of a folder of recordings the first below it, with a file of records
  // the one that the audio is in, with archives the first in them.
  bool speaker_folders = false;
};

struct Manifest {
  std::filesystem::path folder;  // of the manifest
  std::vector<SourceRecord> records;

  /// The file that has the sound.
  std::filesystem::path path_of(const SourceRecord& record) const {
    return folder / (record.row < 0 ? record.audio : record.set_file);
  }
};

/// A bad line is a record with a problem; Error(kNotFound, kBadInput) if the manifest as a whole
/// cannot be read, has no audio column, or has no records.
Manifest read_manifest(const std::filesystem::path& path, const ManifestDefaults& defaults = {});

}  // namespace kani
