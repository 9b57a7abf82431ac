// arrow_convert.cc - see arrow_convert.h.
#include "kani/dataset/arrow_convert.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include "kani/base/file.h"
#include "kani/base/sha256.h"
#include "kani/base/utf8.h"
#include "kani/dataset/arrow_clips.h"
#include "kani/dataset/arrow_folder.h"
#include "kani/dataset/arrow_write.h"
#include "kani/dataset/convert.h"
#include "kani/dataset/out_folder.h"
#include "kani/dataset/prepare.h"
#include "kani/dataset/split_files.h"
#include "kani/spec/lfm2.h"
#include "kani/tokens/tokenizer.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr int kUsualVoice = 128;

struct Input {
  fs::path file;
  std::string split;  // empty: its name says none
};

std::vector<Input> as_inputs(const std::vector<fs::path>& files) {
  std::vector<Input> inputs;
  for (const fs::path& file : files)
    inputs.push_back({file, split_in_path(file.filename().string())});
  return inputs;
}

std::vector<Input> shards_in(const fs::path& folder, const std::string& split) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".kshard") names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  std::vector<fs::path> files;
  for (const std::string& name : split == "all" ? names : files_of_split(names, split))
    files.push_back(folder / name);
  if (files.empty() && !names.empty()) {
    throw Error(ErrorCode::kNotFound, folder, ": none of ", names.size(),
                " *.kshard files is of the split ", printable(split))
        .with_hint("--split NAME names another one, or all");
  }
  return as_inputs(files);
}

/// Of each split that there is, a file but once.
std::vector<Input> all_set_files(const fs::path& folder) {
  if (fs::exists(folder / "state.json")) return as_inputs(find_set_files(folder, "", "train"));
  std::vector<Input> inputs;
  for (const char* split :
       {"train", "training", "validation", "valid", "dev", "eval", "test", "testing"}) {
    try {
      for (const fs::path& file : find_set_files(folder, "", split)) {
        const auto is_same = [&](const Input& one) { return one.file == file; };
        if (std::none_of(inputs.begin(), inputs.end(), is_same)) inputs.push_back({file, split});
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound) throw;
    }
  }
  if (inputs.empty())
    throw Error(ErrorCode::kNotFound, folder, ": no *.kshard, no state.json and no *.parquet");
  return inputs;
}

std::vector<Input> inputs_of(const ConvertOptions& options) {
  if (!fs::is_directory(options.input)) return as_inputs({options.input});
  // A prepared folder may hold a set and shards of the same clips; shards say more.
  std::vector<Input> inputs = shards_in(options.input, options.split);
  if (!inputs.empty()) return inputs;
  if (options.split == "all") return all_set_files(options.input);
  for (const fs::path& file : find_set_files(options.input, "", options.split))
    inputs.push_back({file, options.split});
  return inputs;
}

/// What the first file says of all, for what no flag says.
ShardInfo info_in(const fs::path& file) {
  ShardInfo info{.voice_dim = kUsualVoice, .text_rules = kNoTextRules};
  if (file.extension() == ".kshard") return TokenShard(file).info();
  if (const std::optional<ClipNote> note = read_clip_note(file)) info = note->info;
  return info;
}

TokenLayout layout_of(const ShardInfo& info) {
  Lfm2Config config;
  config.tokens_per_frame = info.codebooks;
  config.vocab_size = config.audio_tokens_start + config.tokens_per_frame * info.codebook_size;
  return TokenLayout::of(config);
}

class Conversion {
 public:
  explicit Conversion(const ConvertOptions& options)
      : options_(options), inputs_(inputs_of(options)), info_(info_in(inputs_.front().file)) {
    if (options.form == SetForm::kProcessed && options.split == "all" &&
        inputs_.front().split != inputs_.back().split) {
      throw Error(ErrorCode::kInvalidArgument, options.input, ": has more than one split")
          .with_hint("a processed set is of one: --split NAME");
    }
    layout_ = options.layout ? *options.layout : layout_of(info_);
    if (options.form == SetForm::kParquet && layout_.codebooks != 4)
      throw Error(ErrorCode::kUnsupported, options.input, ": has ", layout_.codebooks,
                  " codebooks, Parquet has columns for 4");
    if (options.tokenizer) tokenizer_.emplace(Tokenizer::load(*options.tokenizer));
    info_.codebook_size = layout_.codebook_size;
    info_.codebooks = layout_.codebooks;
    info_.voice_dim = options.voice_dim.value_or(info_.voice_dim);
    if (options.tokenizer) info_.tokenizer = sha256_hex(*options.tokenizer / "tokenizer.json");
    part_.emplace(options.output);
  }

  ConvertReport run() {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const Input& input = inputs_[i];
      if (i > 0 && input.split != inputs_[i - 1].split) close_writer();
      const std::unique_ptr<ClipReader> reader = open_reader(input.file);
      open_writer(i);
      copy(*reader);
      // One Parquet file for every file that is read; other outputs go on.
      if (options_.form == SetForm::kParquet) close_writer();
    }
    close_writer();
    if (report_.clips == 0)
      throw Error(ErrorCode::kBadInput, options_.input, ": has no clip that can be taken");
    part_->publish();
    return std::move(report_);
  }

 private:
  std::unique_ptr<ClipReader> open_reader(const fs::path& file) {
    note_.reset();
    if (file.extension() == ".kshard") {
      auto shard = std::make_unique<ShardClips>(file);
      check_same_model(file, shard->info());
      note_lost(SetForm::kShards);
      return shard;
    }
    const ClipShape rules{.layout = layout_, .voice_dim = info_.voice_dim, .voice_required = false};
    if (is_processed_set(file)) return std::make_unique<SequenceClips>(file, rules);
    note_lost(SetForm::kParquet);
    auto clips = std::make_unique<SourceClips>(file, ClipColumns(), rules,
                                               /*more=*/true);
    note_ = clips->note();
    check_text_rules(file, note_ ? note_->info.text_rules : kNoTextRules);
    return clips;
  }

  /// All clips of a set must have been made alike.
  void check_text_rules(const fs::path& file, const std::string& rules) {
    if (!text_rules_) text_rules_ = rules;
    if (*text_rules_ != rules)
      throw Error(ErrorCode::kBadInput, file, ": tokenizer or text rules differ from those of ",
                  inputs_.front().file);
    info_.text_rules = rules;
  }

  /// Shards say what made them; the first one decides what new shards say.
  void check_same_model(const fs::path& file, const ShardInfo& info) {
    const auto compare = [&](const char* what, int found, int expected) {
      if (found != expected)
        throw Error(ErrorCode::kBadInput, file, ": ", what, " ", found, ", expected ", expected);
    };
    compare("codebooks:", info.codebooks, info_.codebooks);
    compare("codes in a codebook:", info.codebook_size, info_.codebook_size);
    compare("numbers in a voice:", info.voice_dim, info_.voice_dim);
    if (!first_shard_) first_shard_ = info;
    if (*first_shard_ != info)
      throw Error(ErrorCode::kBadInput, file, ": tokenizer or text rules differ from those of ",
                  inputs_.front().file);
    info_ = info;
  }

  void note_lost(SetForm from) {
    const auto lost = [&](const char* what) {
      if (std::find(report_.lost.begin(), report_.lost.end(), what) == report_.lost.end())
        report_.lost.emplace_back(what);
    };
    if (options_.form == SetForm::kParquet && from == SetForm::kShards) {
      lost("text ids");
      lost("notes other than text_raw and the measures of quality");
    }
    if (options_.form == SetForm::kProcessed)
      lost("text, language, speaker, source, duration, record and notes");
  }

  void open_writer(size_t index) {
    if (writer_) return;
    const std::string& split = inputs_[index].split;
    switch (options_.form) {
      case SetForm::kShards:
        writer_ = std::make_unique<ShardFolderWriter>(part_->path(), info_,
                                                      ShardFolderWriter::Limits(), split);
        return;
      case SetForm::kProcessed:
        writer_ = std::make_unique<SequenceSetWriter>(part_->path(), layout_);
        return;
      case SetForm::kParquet:
        writer_ = std::make_unique<ParquetWriter>(part_->path() / parquet_name(index), info_);
        return;
    }
  }

  /// Numbered among those of its split, which are neighbours.
  std::string parquet_name(size_t index) const {
    const std::string& split = inputs_[index].split;
    const auto is_of_it = [&](const Input& one) { return one.split == split; };
    const auto first = std::find_if(inputs_.begin(), inputs_.end(), is_of_it);
    char number[64];
    std::snprintf(number, sizeof number, "-%05zu-of-%05zu.parquet",
                  index - static_cast<size_t>(first - inputs_.begin()),
                  static_cast<size_t>(std::count_if(inputs_.begin(), inputs_.end(), is_of_it)));
    return (split.empty() ? "train" : split) + number;
  }

  void close_writer() {
    if (writer_) writer_->finish();
    writer_.reset();
  }

  void copy(ClipReader& reader) {
    TrainingClip clip;
    for (;;) {
      try {
        if (reader.next(clip) == NextClip::kEnd) return;
      } catch (const BadRow& bad) {
        if (options_.bad_rows == BadRows::kStop) throw;
        report_.faults.add(bad);
        continue;
      }
      complete(clip);
      writer_->add(clip);
      ++report_.clips;
    }
  }

  /// What the ids of a text are made of.
  TaggedText text_to_encode(const TrainingClip& clip) const {
    if (!note_ || !note_->has_tagged_text())
      return text_with_tag(options_.tags ? clip.language : "", clip.utf8);
    const auto token = note_->tag_tokens.find(clip.language);
    if (token == note_->tag_tokens.end() || !clip.utf8.starts_with(token->second)) return clip.utf8;
    return {token->second, clip.utf8.substr(token->second.size())};
  }

  /// Makes what the output needs and the input did not have.
  void complete(TrainingClip& clip) const {
    if (options_.form != SetForm::kParquet && clip.text.empty())
      clip.text = encode(need_tokenizer(), text_to_encode(clip), AddedTokens::kPlainText);
    if (options_.form == SetForm::kParquet && clip.utf8.empty() && clip.text.size() > 1) {
      for (size_t i = 1; i < clip.text.size(); ++i)  // behind BOS
        clip.utf8 += need_tokenizer().bytes(clip.text[i]);
      clip.utf8 = replace_invalid_utf8(clip.utf8);
    }
  }

  const Tokenizer& need_tokenizer() const {
    if (!tokenizer_) {
      throw Error(ErrorCode::kInvalidArgument, options_.input,
                  ": text and ids are not both there, and no tokenizer is named")
          .with_hint("--tokenizer FOLDER");
    }
    return *tokenizer_;
  }

  const ConvertOptions& options_;
  std::vector<Input> inputs_;
  ShardInfo info_;
  TokenLayout layout_;
  std::optional<Tokenizer> tokenizer_;
  std::optional<ShardInfo> first_shard_;
  std::optional<std::string> text_rules_;
  std::optional<ClipNote> note_;    // of the file that is read
  std::optional<PartFolder> part_;  // before the writer, which has files in it
  std::unique_ptr<ClipWriter> writer_;
  ConvertReport report_;
};

}  // namespace

ConvertReport convert_set(const ConvertOptions& options) { return Conversion(options).run(); }

}  // namespace kani
