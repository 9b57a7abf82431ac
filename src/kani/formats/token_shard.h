// token_shard.h - clips ready for training: text ids, audio codes, voices, in one mapped file that
// is read in any order.  Ids, labels and masks are not stored: the trainer builds them.
// Source: training.md 14.1.  The container is safetensors, so that every tool reads it, and its
// reader is the one that is fuzzed.
// Not here: what ids mean (tokens/), how clips are made (dataset/), their order (train/).
//
// Sections (tensors), N clips, columns of 8 bytes first so that all are aligned:
//   text_offsets, frame_offsets, utf8_offsets, note_offsets  U64 [N + 1]   where a clip begins in
//   what follows encoded_len  I64 [N], duration  F64 [N]                  as the source says;
//   seconds text_ids  I32 [T]      ids of the tagged text as the tokenizer gives them, BOS first
//   language, speaker, source, voice  I32 [N]                index into a list below; -1 = none
//   voices  F32 [K, D]
//   codes  U8 [F, B]       12 bits a code, codebook after codebook, low bits first
//   records  U8 [N, 32]    SHA-256 of what the clip was made of
//   utf8  U8 [U]           the text before tokens, may be empty
//   notes  U8 [Z]          what else is known of the clip: a JSON object, or nothing
// Metadata: format "kani-shard", version "1", codebooks, codebook_size, tokenizer, text_rules,
// languages, speakers, sources (lists of strings in JSON), and "sha256." + section.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kani/base/file.h"
#include "kani/formats/tensor_file.h"

namespace kani {

/// What all clips of a shard share.
struct ShardInfo {
  int codebooks = 4;         // 1 … 32
  int codebook_size = 4032;  // codes are below; 1 … 4096
  int voice_dim = 128;       // 0: no voices
  std::string tokenizer{};   // SHA-256 of tokenizer.json that made the ids
  std::string text_rules{};  // name and version of what was done to the text
  bool operator==(const ShardInfo&) const = default;
};

/// One recording with its text.
struct TrainingClip {
  std::vector<int32_t> text;   // ids, BOS first, without END_OF_TEXT
  std::vector<int32_t> codes;  // [frames, codebooks]
  std::vector<float> voice;    // voice_dim numbers, or none
  std::string language, speaker, source;
  int64_t encoded_len = 0;  // frames as the codec reported them
  double duration_s = 0;
  std::array<std::byte, 32> record{};
  std::string utf8;
  std::string notes;  // a JSON object, or empty: text before normalizing, quality, licence
};

/// Immutable and thread-safe.  What planning asks for is kept in memory, the rest is read when it
/// is asked for, so that a file that cannot be read any more, or was cut, is an error of that call.
class TokenShard {
 public:
  /// Checks the layout, not the hashes.  Throws Error(kNotFound), Error(kBadInput).
  explicit TokenShard(const std::filesystem::path& path);
  /// The same of bytes in memory, which must outlive it.
  TokenShard(std::span<const std::byte> bytes, const std::filesystem::path& name);

  const ShardInfo& info() const { return info_; }
  size_t clips() const { return clips_; }
  /// Codes and ids are checked as they are read.  Throws Error(kBadInput) naming the clip.
  TrainingClip clip(size_t index) const;
  /// For planning without reading: how many ids and frames, what language.
  size_t text_length(size_t index) const;
  size_t frames(size_t index) const;
  bool has_voice(size_t index) const;
  const std::string& language(size_t index) const;  // empty = none
  /// Parts of a clip, read without the rest.  Throws Error(kBadInput).
  double duration_s(size_t index) const;
  const std::string& speaker(size_t index) const;
  const std::string& source(size_t index) const;
  std::array<std::byte, 32> record(size_t index) const;
  std::string notes(size_t index) const;

  /// Compares every section with its hash.  Throws Error(kBadInput) naming the section.
  void verify() const;
  const std::filesystem::path& path() const { return file_->path(); }

 private:
  void read_header();
  const std::string& name_of(const std::vector<std::string>& names, int32_t which) const;
  // Bytes of a section from `offset` on, out of the file or of what is in memory.
  void read(const TensorInfo& section, uint64_t offset, std::span<std::byte> out) const;
  template <typename T>
  T value(const TensorInfo& section, size_t index) const;
  template <typename T>
  std::vector<T> whole(const TensorInfo& section) const;
  std::string text_of(const TensorInfo& part, const TensorInfo& offsets, size_t index) const;
  void read_voice(int32_t voice, TrainingClip& clip) const;
  void read_codes(size_t index, TrainingClip& clip) const;

  // None of bytes in memory.  The map is for the header; behind it nothing is looked at through it.
  std::optional<MappedFile> map_;
  std::optional<InputFile> input_;
  std::unique_ptr<TensorFile> file_;
  ShardInfo info_;
  size_t clips_ = 0;
  std::vector<std::string> languages_, speakers_, sources_;
  std::vector<uint64_t> text_offsets_, frame_offsets_;
  std::vector<int32_t> language_, voice_;
  const TensorInfo *utf8_offsets_, *note_offsets_, *encoded_len_, *duration_, *text_, *speaker_,
      *source_, *voices_, *codes_, *records_, *utf8_, *notes_;
};

/// Collects clips in memory and writes them at once; equal voices are stored once.  The same clips
/// in the same order give the same bytes.
class ShardWriter {
 public:
  explicit ShardWriter(ShardInfo info);
  ~ShardWriter();
  /// Throws Error(kInvalidArgument) for codes out of range, no frames, a voice of another size or
  /// with a number that is not finite, more than 2^32 ids.
  void add(const TrainingClip& clip);
  size_t clips() const;
  /// Bytes of the sections so far.
  uint64_t bytes() const;
  /// Atomically; returns the SHA-256 of the file in hexadecimal.  Throws Error(kCannotWrite).
  std::string write(const std::filesystem::path& path) const;
  /// The same as bytes, for tests.
  std::string serialize() const;

 private:
  struct Columns;
  std::unique_ptr<Columns> columns_;
};

}  // namespace kani
