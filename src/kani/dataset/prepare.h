// prepare.h - what upstream's prepare_dataset.py is told and its rules for one clip, without any
// file format: the configuration, the tag, repeated frames (training.md 3.3, 5.2).
// Not here: reading and writing of sets (arrow_prepare.h), sequences of ids (tokens/sequence.h).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kani {

/// Where the parts of a clip stand in a source's table.
struct ClipColumns {
  std::string text = "text";
  std::array<std::string, 4> layers = {"nano_layer_1", "nano_layer_2", "nano_layer_3",
                                       "nano_layer_4"};
  std::string encoded_len = "encoded_len";
  std::string voice = "speaker_emb";
};

/// One entry of `hf_datasets`.
struct PrepareSource {
  std::string reponame;  // a local folder
  std::string name;      // configuration, empty = none
  std::string split = "train";
  ClipColumns columns;
  std::string language_tag;          // as written; empty = none
  std::optional<uint64_t> max_rows;  // max_len: a random subset of this many
};

/// dataset_config.yaml.
struct PrepareConfig {
  std::optional<double> max_duration_s;  // null and 0 in the file: no limit
  bool length_statistics = false;        // lenght_statistics (sic)
  std::vector<PrepareSource> sources;
  std::vector<std::string> unknown_keys;  // ignored, as upstream does; worth a warning
};

/// `name` is the file, for messages.  Throws Error(kBadInput) naming key and line.
PrepareConfig parse_prepare_config(std::string_view yaml, std::string_view name);

/// ASCII letters in lower case; the rest as it is.
std::string lower_tag(std::string_view tag);
/// "tag: text", or the text alone for an empty tag.
std::string text_with_tag(std::string_view tag, std::string_view text);

/// Whether upstream's filter keeps a clip of so many frames.
bool within_duration(int64_t encoded_len, std::optional<double> max_duration_s);

/// `codes` [frames, codebooks] without the frames that equal the one before them.
std::vector<int32_t> without_repeated_frames(std::span<const int32_t> codes, size_t codebooks);

}  // namespace kani
