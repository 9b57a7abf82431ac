// arrow_prepare.cc - see arrow_prepare.h.
#include "kani/dataset/arrow_prepare.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/sha256.h"
#include "kani/dataset/arrow_clips.h"
#include "kani/dataset/arrow_folder.h"
#include "kani/dataset/arrow_write.h"
#include "kani/dataset/clip_maker.h"
#include "kani/dataset/convert.h"
#include "kani/dataset/length_statistics.h"
#include "kani/dataset/numpy_random.h"
#include "kani/dataset/out_folder.h"
#include "kani/dataset/without_path.h"
#include "kani/tokens/tokenizer.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostConfigBytes = 1 << 20;
constexpr uint64_t kSubsetSeed = 42;
// Rows of a subset that are held at once: a larger one takes more passes over its source.
constexpr size_t kSubsetWindow = 20'000;

/// What the clip was made of, for tracing it back.
std::array<std::byte, 32> record_of(const TrainingClip& clip) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(clip.codes)));
  hash.update(std::as_bytes(std::span(clip.utf8)));
  return hash.finish();
}

class Preparation {
 public:
  explicit Preparation(const PrepareOptions& options)
      : options_(options),
        config_(parse_prepare_config(read_file(options.config, kMostConfigBytes),
                                     options.config.string())),
        tokenizer_(checked_tokenizer(options)),
        part_(options.out) {
    open_output();
  }

  PrepareReport run() {
    for (const std::string& key : config_.unknown_keys)
      report_.warnings.push_back(
          concat(options_.config, ": key ", printable(key), " is not known and ignored"));
    for (const PrepareSource& source : config_.sources) add_source(source);
    if (report_.kept() == 0)
      throw Error(ErrorCode::kBadInput, options_.config, ": no row of any source is left");
    for (const auto& writer : writers_) writer->finish();
    if (rejects_) rejects_->commit();
    if (config_.length_statistics)
      write_file(part_.path() / "audio_length_statistics.json", length_statistics_json(lengths_));
    write_file(part_.path() / "prepare_report.json", report_.json());
    part_.publish();
    return std::move(report_);
  }

 private:
  using Take = std::function<void(uint64_t kept_row, TrainingClip& clip)>;

  static Tokenizer checked_tokenizer(const PrepareOptions& options) {
    Tokenizer tokenizer = Tokenizer::load(options.tokenizer);
    const int32_t control = options.layout.start_of_speech - 1;
    if (tokenizer.vocabulary_size() > control)
      throw Error(ErrorCode::kBadInput, options.tokenizer, ": has ids up to ",
                  tokenizer.vocabulary_size() - 1, ", the model's control ids begin at ", control);
    const std::vector<int32_t> around = tokenizer.encode("");
    if (around.size() != 1 || around[0] != options.layout.start_of_text)
      throw Error(ErrorCode::kBadInput, options.tokenizer, ": puts ", around.size(),
                  " ids around a text, must be the id ", options.layout.start_of_text, " alone");
    return tokenizer;
  }

  void open_output() {
    const fs::path& out = part_.path();
    if (!options_.parity) rejects_ = std::make_unique<AtomicFile>(out / "rejects.jsonl");
    if (options_.write_set)
      writers_.push_back(std::make_unique<SequenceSetWriter>(out, options_.layout));
    if (options_.write_shards) {
      writers_.push_back(std::make_unique<ShardFolderWriter>(
          out, ShardInfo{.codebooks = options_.layout.codebooks,
                         .codebook_size = options_.layout.codebook_size,
                         .voice_dim = options_.voice_dim,
                         .tokenizer = sha256_hex(options_.tokenizer / "tokenizer.json"),
                         .text_rules = kNoTextRules}));
    }
  }

  bool drops_repeated_frames() const {
    return options_.drop_repeated_frames.value_or(options_.parity);
  }

  /// Renaming a column to a name that another one has stops upstream; by default it is no matter,
  /// because columns are taken by the names in the configuration.
  void check_names(const PrepareSource& source, const fs::path& file,
                   const std::vector<std::string>& names) const {
    const ClipColumns targets;
    const auto check = [&](const std::string& from, const std::string& to) {
      if (from != to && std::find(names.begin(), names.end(), to) != names.end())
        throw Error(ErrorCode::kBadInput, file, ": column ", printable(from),
                    " cannot be renamed: there is a column ", to, " already");
    };
    check(source.columns.text, targets.text);
    for (size_t k = 0; k < targets.layers.size(); ++k)
      check(source.columns.layers[k], targets.layers[k]);
    check(source.columns.encoded_len, targets.encoded_len);
    check(source.columns.voice, targets.voice);
  }

  /// A line of rejects.jsonl; `message` names the file, by its whole path.
  void reject(const PrepareSource& source, const fs::path& file, std::string_view reason,
              const std::string& message) {
    const fs::path name = file.lexically_relative(options_.sources / source.reponame);
    rejects_->write(json_line({{"source", source.reponame},
                               {"reason", reason},
                               {"detail", without_path(message, file, name.string())}}) +
                    "\n");
  }

  /// One pass over a source: `take` gets every row that is kept, with its number among them.  The
  /// first pass over it says what is left out.
  enum class Pass { kFirst, kAgain };
  SourceReport pass(const PrepareSource& source, const std::vector<fs::path>& files, Pass which,
                    const Take& take) {
    SourceReport report;
    report.name = source.reponame;
    const bool tells = which == Pass::kFirst && rejects_;
    const ClipShape rules{.layout = options_.layout,
                          .voice_dim = options_.voice_dim,
                          .voice_required = options_.voice_dim > 0,
                          .careful = !options_.parity,
                          .max_duration_s = config_.max_duration_s};
    TrainingClip clip;
    for (const fs::path& file : files) {
      SourceClips clips(file, source.columns, rules, /*more=*/false);
      if (options_.parity) check_names(source, file, clips.column_names());
      for (;;) {
        try {
          const NextClip next = clips.next(clip);
          if (next == NextClip::kEnd) break;
          ++report.rows;
          if (next == NextClip::kClip) {
            take(report.kept++, clip);
            continue;
          }
          ++report.too_long;
          if (tells) reject(source, file, "too_long", clips.place());
        } catch (const BadRow& bad) {
          if (options_.parity) throw;
          ++report.rows;
          report.faults.add(bad);
          if (tells) reject(source, file, fault_name(bad.fault()), bad.what());
        }
      }
    }
    return report;
  }

  void add_source(const PrepareSource& source) {
    const std::vector<fs::path> files =
        find_set_files(options_.sources / source.reponame, source.name, source.split);
    uint64_t frames_dropped = 0;
    const Take write = [&](uint64_t, TrainingClip& clip) {
      frames_dropped += finish_clip(source, clip);
    };
    const Take none = [](uint64_t, TrainingClip&) {};
    SourceReport report = pass(source, files, Pass::kFirst, source.max_rows ? none : write);
    if (source.max_rows) add_subset(source, files, report, write);
    report.frames_dropped = frames_dropped;
    report_.sources.push_back(std::move(report));
  }

  void add_subset(const PrepareSource& source, const std::vector<fs::path>& files,
                  SourceReport& report, const Take& write) {
    uint64_t wanted = *source.max_rows;
    if (wanted > report.kept) {
      const std::string text = concat(source.reponame, ": max_len is ", wanted, ", only ",
                                      report.kept, " rows are left");
      if (options_.parity) throw Error(ErrorCode::kBadInput, options_.config, ": ", text);
      report_.warnings.push_back(text);
      wanted = report.kept;
    }
    const std::vector<uint64_t> order = NumpyGenerator(kSubsetSeed).permutation(report.kept);
    report.left_out = report.kept - wanted;
    report.kept = wanted;
    for (uint64_t begin = 0; begin < wanted; begin += kSubsetWindow) {
      const uint64_t end = std::min<uint64_t>(begin + kSubsetWindow, wanted);
      std::unordered_map<uint64_t, TrainingClip> window;
      for (uint64_t i = begin; i < end; ++i) window.emplace(order[i], TrainingClip());
      pass(source, files, Pass::kAgain, [&](uint64_t row, TrainingClip& clip) {
        if (const auto place = window.find(row); place != window.end())
          place->second = std::move(clip);
      });
      for (uint64_t i = begin; i < end; ++i) write(i, window.at(order[i]));
    }
  }

  /// Frames, ids, names; then into all outputs.  Returns the number of frames dropped.
  uint64_t finish_clip(const PrepareSource& source, TrainingClip& clip) {
    clip.record = record_of(clip);
    const size_t before = clip.codes.size();
    const auto codebooks = static_cast<size_t>(options_.layout.codebooks);
    if (drops_repeated_frames()) clip.codes = without_repeated_frames(clip.codes, codebooks);
    clip.text = tokenizer_.encode(text_with_tag(source.language_tag, clip.utf8),
                                  options_.parity ? AddedTokens::kMatch : AddedTokens::kPlainText);
    clip.language = lower_tag(source.language_tag);
    clip.source = source.reponame;
    for (const auto& writer : writers_) writer->add(clip);
    lengths_.push_back(clip.encoded_len);
    return (before - clip.codes.size()) / codebooks;
  }

  const PrepareOptions& options_;
  PrepareConfig config_;
  Tokenizer tokenizer_;
  PartFolder part_;  // before those that have files in it
  std::vector<std::unique_ptr<ClipWriter>> writers_;
  std::unique_ptr<AtomicFile> rejects_;  // not in parity
  std::vector<int64_t> lengths_;
  PrepareReport report_;
};

}  // namespace

PrepareReport prepare_set(const PrepareOptions& options) { return Preparation(options).run(); }

}  // namespace kani
