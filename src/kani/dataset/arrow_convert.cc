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
#include "kani/dataset/prepare.h"
#include "kani/tokens/tokenizer.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> input_files(const ConvertOptions& options) {
  if (!fs::is_directory(options.input)) return {options.input};
  std::vector<fs::path> shards;
  for (const auto& entry : fs::directory_iterator(options.input)) {
    if (entry.path().extension() == ".kshard") shards.push_back(entry.path());
  }
  std::sort(shards.begin(), shards.end());
  // A prepared folder may hold a set and shards of the same clips; shards say more.
  return shards.empty() ? find_set_files(options.input, "", options.split) : shards;
}

class Conversion {
 public:
  explicit Conversion(const ConvertOptions& options)
      : options_(options), files_(input_files(options)) {
    if (options.tokenizer) tokenizer_.emplace(Tokenizer::load(*options.tokenizer));
    if (fs::exists(options.output) && !fs::is_empty(options.output)) {
      throw Error(ErrorCode::kInvalidArgument, options.output, ": exists and is not empty")
          .with_hint("name another folder or remove this one");
    }
    std::error_code error;
    fs::create_directories(options.output, error);
    if (error) throw_cannot_write(options.output, error.value());
    info_ = {.codebooks = options.layout.codebooks,
             .codebook_size = options.layout.codebook_size,
             .voice_dim = options.voice_dim,
             .text_rules = "none"};
    if (options.tokenizer) info_.tokenizer = sha256_hex(*options.tokenizer / "tokenizer.json");
  }

  ConvertReport run() {
    for (size_t i = 0; i < files_.size(); ++i) {
      const std::unique_ptr<ClipReader> reader = open_reader(files_[i]);
      open_writer(i);
      copy(*reader);
      // One Parquet file for every file that is read; other outputs go on.
      if (options_.form == SetForm::kParquet) close_writer();
    }
    close_writer();
    if (report_.clips == 0)
      throw Error(ErrorCode::kBadInput, options_.input, ": has no clip that can be taken");
    return std::move(report_);
  }

 private:
  std::unique_ptr<ClipReader> open_reader(const fs::path& file) {
    if (file.extension() == ".kshard") {
      auto shard = std::make_unique<ShardClips>(file);
      check_same_model(file, shard->info());
      note_lost(SetForm::kShards);
      return shard;
    }
    const ClipShape rules{
        .layout = options_.layout, .voice_dim = options_.voice_dim, .voice_required = false};
    if (is_processed_set(file)) return std::make_unique<SequenceClips>(file, rules);
    note_lost(SetForm::kParquet);
    return std::make_unique<SourceClips>(file, ClipColumns(), rules, /*more=*/true);
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
                  files_.front());
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
    switch (options_.form) {
      case SetForm::kShards:
        writer_ = std::make_unique<ShardFolderWriter>(options_.output, info_);
        return;
      case SetForm::kProcessed:
        writer_ = std::make_unique<SequenceSetWriter>(options_.output, options_.layout);
        return;
      case SetForm::kParquet: {
        char name[64];
        std::snprintf(name, sizeof(name), "train-%05zu-of-%05zu.parquet", index, files_.size());
        writer_ = std::make_unique<ParquetWriter>(options_.output / name);
        return;
      }
    }
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

  /// Makes what the output needs and the input did not have.
  void complete(TrainingClip& clip) const {
    if (options_.form != SetForm::kParquet && clip.text.empty()) {
      const std::string tag = options_.tags ? clip.language : "";
      clip.text = need_tokenizer().encode(text_with_tag(tag, clip.utf8), AddedTokens::kPlainText);
    }
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
  std::vector<fs::path> files_;
  std::optional<Tokenizer> tokenizer_;
  std::optional<ShardInfo> first_shard_;
  ShardInfo info_;
  std::unique_ptr<ClipWriter> writer_;
  ConvertReport report_;
};

}  // namespace

ConvertReport convert_set(const ConvertOptions& options) { return Conversion(options).run(); }

}  // namespace kani
