// assembly.cc - see assembly.h.
#include "kani/dataset/assembly.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/dataset/length_statistics.h"
#include "kani/dataset/listening_samples.h"
#include "kani/dataset/parquet_output.h"
#include "kani/dataset/set_clip.h"
#include "kani/dataset/set_files.h"
#include "kani/dataset/set_report.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

/// One native shard as a file.
class ShardFileWriter final : public ClipWriter {
 public:
  ShardFileWriter(fs::path path, ShardInfo info)
      : path_(std::move(path)), shard_(std::move(info)) {}
  void add(const TrainingClip& clip) override { shard_.add(clip); }
  void finish() override { shard_.write(path_); }

 private:
  fs::path path_;
  ShardWriter shard_;
};

/// Clips from where their facts say they are; one unit is open at a time.
class UnitClips {
 public:
  explicit UnitClips(const WorkFolder& work) : work_(work) {}
  TrainingClip clip(const RecordFacts& facts) {
    if (!shard_ || unit_ != facts.unit) {
      shard_.emplace(work_.shard_path(facts.unit));
      unit_ = facts.unit;
    }
    if (shard_->record(facts.place) != facts.record)
      throw Error(ErrorCode::kBadInput, shard_->path(), ": clip ", facts.place,
                  " is not that of record ", facts.index);
    return shard_->clip(facts.place);
  }

 private:
  const WorkFolder& work_;
  std::optional<TokenShard> shard_;
  size_t unit_ = 0;
};

class Assembly {
 public:
  Assembly(const WorkFolder& work, const ClipRules& rules, const AssemblyOptions& options,
           const fs::path& stage, const CancelToken* cancel)
      : rules_(rules), options_(options), stage_(stage), cancel_(cancel), units_(work) {}

  void run(const WorkFolder& work, const BuildPlan& plan, const Json& origin) {
    read_facts(work, plan);
    splits_ = select_clips(
        facts_, options_.selection, [this](const RecordFacts& one) { return first_codes(one); },
        cancel_);
    check_no_leak(facts_, splits_);
    count();
    make_folder();
    voices_.emplace(rules_.voice_dim() == 0 ? SpeakerVector::kSelf : options_.voices, facts_,
                    splits_, [this](const RecordFacts& one) {
                      stop_if_cancelled();
                      return units_.clip(one).voice;
                    });
    AtomicFile lines(stage_ / "clips.jsonl");
    for (const Split split : kSplits) write_split(split, lines);
    lines.commit();
    write_rejects(stage_ / "rejects.jsonl");
    if (options_.parquet) write_file(stage_ / "dataset_info.json", parquet_dataset_info());
    write_file(stage_ / "audio_length_statistics.json", length_statistics_json(train_lengths_));
    const Json samples = write_samples(rules_, samples_, stage_, cancel_);
    write_file(stage_ / "set.json",
               dump_json(set_json(origin, samples), 2, InvalidUtf8::kReplace) + "\n");
    for (const auto& [name, text] : make_report(stage_)) write_file(stage_ / name, text);
  }

 private:
  void stop_if_cancelled() const {
    if (cancel_ != nullptr && cancel_->cancelled())
      throw Error(ErrorCode::kCancelled, "interrupted");
  }

  void read_facts(const WorkFolder& work, const BuildPlan& plan) {
    facts_.reserve(plan.records());
    for (size_t unit = 0; unit < plan.units(); ++unit) {
      std::vector<RecordFacts> some = work.facts(unit, facts_.size());
      if (some.size() != plan.size(unit))
        throw Error(ErrorCode::kBadInput, work.shard_path(unit), ": ", some.size(),
                    " records where ", plan.size(unit), " were expected");
      std::move(some.begin(), some.end(), std::back_inserter(facts_));
    }
  }

  std::vector<int32_t> first_codes(const RecordFacts& one) {
    const TrainingClip clip = units_.clip(one);
    const auto codebooks = static_cast<size_t>(rules_.codec().codebooks);
    std::vector<int32_t> first;
    for (size_t at = 0; at < clip.codes.size(); at += codebooks) first.push_back(clip.codes[at]);
    return first;
  }

  void count() {
    std::array<size_t, kRejectReasons> reasons{};
    for (size_t i = 0; i < facts_.size(); ++i) {
      if (facts_[i].reject) {
        ++reasons[static_cast<size_t>(facts_[i].reject->reason)];
      } else {
        ++kept(splits_[i]);
      }
    }
    if (kept(Split::kTrain) > 0) return;
    // There is no set to have them.
    const fs::path rejects = stage_.parent_path() / "rejects.jsonl";
    write_rejects(rejects);
    const std::string where = concat(rejects, " says why, a line a record");
    if (const size_t others = kept(Split::kValid) + kept(Split::kTest); others > 0) {
      throw Error(ErrorCode::kBadInput, "no clip is left to train on; ", others,
                  " are in the other splits")
          .with_hint("--valid 0 keeps none back, --split-by recording divides a speaker's clips; " +
                     where);
    }
    const auto most = std::max_element(reasons.begin(), reasons.end());
    throw Error(ErrorCode::kBadInput, "no clip is left; of ", facts_.size(), " records ", *most,
                " were rejected as ",
                reject_name(static_cast<RejectReason>(most - reasons.begin())))
        .with_hint(way_out() + where);
  }

  /// The flags that would have kept some, if there are such.
  std::string way_out() const {
    const auto first = [this](RejectReason reason) {
      return std::find_if(facts_.begin(), facts_.end(), [reason](const RecordFacts& one) {
        return one.reject && one.reject->reason == reason;
      });
    };
    if (const auto one = first(RejectReason::kSourceStopped); one != facts_.end())
      return concat("--allow-errors \"", printable(one->source),
                    "\" keeps the good ones of that source; ");
    if (first(RejectReason::kSpeakerShare) != facts_.end() ||
        first(RejectReason::kSourceShare) != facts_.end())
      return "--allow NAME or --max-share keeps more; ";
    return {};
  }

  void make_folder() const {
    std::error_code error;
    fs::remove_all(stage_, error);
    if (!error) fs::create_directories(stage_, error);
    if (error) throw_cannot_write(stage_, error.value());
  }

  void open_writers(const std::string& name) {
    if (options_.kshard)
      writers_.push_back(
          std::make_unique<ShardFileWriter>(stage_ / (name + ".kshard"), rules_.shard_info()));
    if (options_.parquet)
      writers_.push_back(open_parquet_file(stage_ / (name + ".parquet"), rules_.shard_info()));
  }

  void close_writers() {
    for (const auto& writer : writers_) writer->finish();
    writers_.clear();
  }

  /// Shards of a split differ by one clip at most.
  void write_split(Split split, AtomicFile& lines) {
    const size_t clips = kept(split);
    if (clips == 0) return;
    const size_t shards = (clips + options_.shard_clips - 1) / options_.shard_clips;
    const size_t wanted = split == Split::kTrain ? std::min(options_.samples, clips) : 0;
    size_t shard = 0, at = 0, row = 0;
    for (size_t i = 0; i < facts_.size(); ++i) {
      if (splits_[i] != split || facts_[i].reject) continue;
      stop_if_cancelled();
      if (row == 0) open_writers(shard_name(split, shard, shards));
      TrainingClip clip = units_.clip(facts_[i]);
      clip.voice = voices_->take(facts_[i], split, std::move(clip.voice));
      for (const auto& writer : writers_) writer->add(clip);
      SetClip line = describe_clip(clip, facts_[i], split);
      line.file = shard_name(split, shard, shards);
      line.row = row;
      lines.write(clip_line(line) + "\n");
      if (split == Split::kTrain) {
        train_lengths_.push_back(clip.encoded_len);
        // Evenly over the split.
        if (samples_.size() < wanted && at == samples_.size() * clips / wanted)
          samples_.push_back(std::move(clip));
      }
      ++at;
      ++row;
      if (at == (shard + 1) * clips / shards) {
        close_writers();
        ++shard;
        row = 0;
      }
    }
  }

  void write_rejects(const fs::path& path) const {
    AtomicFile file(path);
    for (const RecordFacts& one : facts_) {
      if (one.reject) file.write(json_line(reject_json(one)) + "\n");
    }
    file.commit();
  }

  Json set_json(const Json& origin, const Json& samples) const {
    Json clips = Json::object();
    for (const Split split : kSplits) clips[std::string(split_name(split))] = kept(split);
    return {{"format", "kani-set"},     {"version", 1},
            {"made_from", origin},      {"settings", assembly_settings(options_)},
            {"records", facts_.size()}, {"clips", clips},
            {"samples", samples}};
  }

  size_t& kept(Split split) { return kept_[static_cast<size_t>(split)]; }
  size_t kept(Split split) const { return kept_[static_cast<size_t>(split)]; }

  const ClipRules& rules_;
  const AssemblyOptions& options_;
  const fs::path& stage_;
  const CancelToken* cancel_;
  UnitClips units_;
  std::vector<RecordFacts> facts_;
  std::vector<Split> splits_;
  std::array<size_t, 3> kept_{};
  std::optional<SpeakerVoices> voices_;
  std::vector<std::unique_ptr<ClipWriter>> writers_;
  std::vector<int64_t> train_lengths_;
  std::vector<TrainingClip> samples_;
};

std::string_view voices_name(SpeakerVector which) {
  if (which == SpeakerVector::kMean) return "mean";
  return which == SpeakerVector::kSelf ? "self" : "other";
}

}  // namespace

Json assembly_settings(const AssemblyOptions& options) {
  const SelectionOptions& selection = options.selection;
  return {{"max_error_share", selection.max_error_share},
          {"texts_per_speaker", selection.texts_per_speaker},
          {"max_share", selection.max_share},
          {"allowed_shares", selection.allowed_shares},
          {"allowed_errors", selection.allowed_errors},
          {"valid_share", selection.split.valid_share},
          {"split_by", selection.split.by_recording ? "recording" : "speaker"},
          {"test_list", selection.split.test.lines()},
          {"speaker_vector", voices_name(options.voices)},
          {"kshard", options.kshard},
          {"parquet", options.parquet},
          {"shard_clips", options.shard_clips},
          {"samples", options.samples}};
}

void assemble_set(const WorkFolder& work, const BuildPlan& plan, const ClipRules& rules,
                  const AssemblyOptions& options, const Json& origin, const fs::path& stage,
                  const CancelToken* cancel) {
  Assembly(work, rules, options, stage, cancel).run(work, plan, origin);
}

}  // namespace kani
