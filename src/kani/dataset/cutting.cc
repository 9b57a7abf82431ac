// cutting.cc - see cutting.h.
#include "kani/dataset/cutting.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "kani/audio/resampler.h"
#include "kani/audio/sound_reader.h"
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/sha256.h"
#include "kani/dataset/recording.h"
#include "kani/dataset/recording_state.h"
#include "kani/dataset/without_path.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr auto kTellEvery = std::chrono::milliseconds(200);
constexpr uint64_t kMostCutsBytes = uint64_t{1} << 28;
constexpr size_t kBlock = 1 << 16;  // samples
constexpr int kCutsVersion = 1;     // changes with pieces.cc

/// What came out of one recording.
struct Cuts {
  RecordingState recording{};
  std::optional<Reject> reject{};  // of the whole
  std::vector<Piece> pieces{};
};

Json reject_parts(const Reject& reject) {
  return {{"reason", reject_name(reject.reason)},
          {"value", reject.value ? Json(*reject.value) : Json()},
          {"detail", reject.detail}};
}

std::optional<Reject> reject_of(const Json& line) {
  const auto reason = line.find("reason");
  if (reason == line.end()) return std::nullopt;
  Reject reject;
  reject.reason = reject_from_name(reason->get<std::string>()).value();
  if (line.at("value").is_number()) reject.value = line["value"].get<double>();
  reject.detail = line.at("detail").get<std::string>();
  return reject;
}

Json cuts_json(const Cuts& cuts) {
  Json pieces = Json::array();
  for (const Piece& one : cuts.pieces) {
    Json piece = one.reject ? reject_parts(*one.reject) : Json::object();
    piece["segments"] = {one.first, one.last};
    piece["seconds"] = {one.start_s, one.end_s};
    pieces.push_back(std::move(piece));
  }
  Json all = cuts.reject ? reject_parts(*cuts.reject) : Json::object();
  all["recording"] = recording_json(cuts.recording);
  all["pieces"] = std::move(pieces);
  return all;
}

/// Throws Json::exception, std::exception for what is not of cuts_json().
Cuts cuts_of(const Json& all, size_t segments) {
  Cuts cuts{recording_of(all.at("recording")), reject_of(all), {}};
  size_t next = 0;
  for (const Json& piece : all.at("pieces")) {
    const Json &range = piece.at("segments"), &seconds = piece.at("seconds");
    cuts.pieces.push_back({range.at(0).get<size_t>(), range.at(1).get<size_t>(),
                           seconds.at(0).get<double>(), seconds.at(1).get<double>(),
                           reject_of(piece)});
    const Piece& one = cuts.pieces.back();
    if (one.first != next || one.last <= one.first)
      throw Error(ErrorCode::kBadInput, "pieces are not of these segments");
    next = one.last;
  }
  if (!cuts.reject && next != segments)
    throw Error(ErrorCode::kBadInput, "pieces are not of these segments");
  return cuts;
}

std::vector<Silence> silences_of(SoundReader& reader, const Cutting& cutting, double& seconds) {
  Resampler resampler(reader.rate_hz(), cutting.rate_hz, ResamplerQuality::kHigh);
  FramePowers frames(cutting.trim);
  std::vector<float> block(kBlock), moved;
  for (size_t got = kBlock; got == kBlock;) {
    if (cutting.cancel != nullptr && cutting.cancel->cancelled())
      throw Error(ErrorCode::kCancelled, "interrupted");
    got = reader.read(block);
    moved.clear();
    resampler.push(std::span(block).first(got), moved);
    frames.push(moved);
  }
  moved.clear();
  resampler.finish(moved);
  frames.push(moved);
  const std::vector<double> powers = frames.finish();
  const auto time = [&](size_t sample) { return static_cast<double>(sample) / cutting.rate_hz; };
  seconds = time(frames.samples());
  const auto least = static_cast<size_t>(cutting.options.pieces.silence_s * cutting.rate_hz);
  std::vector<Silence> silences;
  for (const SampleRange& one : find_silences(powers, frames.samples(), least, cutting.trim))
    silences.push_back({time(one.begin), time(one.end)});
  return silences;
}

/// A record that is not cut, and why.
void refuse(SourceRecord& record, Reject reason) {
  if (!record.problem) record.problem = std::move(reason);
  record.segments.clear();
}

class Cutters {
 public:
  Cutters(const Manifest& manifest, const Cutting& cutting, const WorkFolder& work)
      : manifest_(manifest), cutting_(cutting), work_(work) {
    for (size_t i = 0; i < manifest.records.size(); ++i) {
      if (!manifest.records[i].segments.empty()) wanted_.push_back(i);
    }
    cuts_.resize(wanted_.size());
  }

  /// Of the records with segments, in their order.
  std::vector<Cuts> run() {
    const size_t count =
        std::min(wanted_.size(), static_cast<size_t>(std::max(1, cutting_.workers)));
    std::vector<std::jthread> threads;
    running_ = count;
    for (size_t i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
    for (bool ended = count == 0; !ended;) {
      std::unique_lock lock(mutex_);
      news_.wait_for(lock, kTellEvery, [this] { return running_ == 0; });
      ended = running_ == 0;
      const uint64_t done = done_;
      lock.unlock();
      if (cutting_.tell) cutting_.tell({.records = wanted_.size(), .done = done, .cutting = true});
    }
    threads.clear();
    if (failure_) std::rethrow_exception(failure_);
    return std::move(cuts_);
  }

 private:
  void work() {
    RecordingStates states;
    // Every machine needs all of them; each begins elsewhere and finds what others have done.
    const auto begin = wanted_.size() * static_cast<size_t>(cutting_.part.index) /
                       static_cast<size_t>(cutting_.part.count);
    try {
      for (size_t next = next_.fetch_add(1); next < wanted_.size(); next = next_.fetch_add(1)) {
        const size_t at = (begin + next) % wanted_.size();
        cuts_[at] = cuts(manifest_.records[wanted_[at]], states);
        const std::lock_guard lock(mutex_);
        ++done_;
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      next_.store(wanted_.size());
    }
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) news_.notify_one();
  }

  Cuts cuts(const SourceRecord& record, RecordingStates& states) const {
    const fs::path path = path_for(record);
    if (auto before = earlier(path, record, states)) return std::move(*before);
    // First, so that a change while it is read is found by the next run.
    Cuts made{states.state(manifest_, record), {}, {}};
    made.reject = cut(record, states, made.pieces);
    write_file(path, dump_json(cuts_json(made), -1, InvalidUtf8::kReplace) + "\n");
    return made;
  }

  /// Named after all but the sound that decides it.
  fs::path path_for(const SourceRecord& record) const {
    const TrimOptions& trim = cutting_.trim;
    const Json rules = {kCutsVersion,
                        cut_settings(cutting_.options),
                        {trim.frame, trim.step, trim.below_loudest_db, trim.lowest_db},
                        cutting_.rate_hz};
    std::string text = concat(dump_json(rules), record.audio.size(), record.audio);
    for (const TimedText& one : record.segments)
      text += concat(dump_json(Json{one.start_s, one.end_s}), one.text.size(), one.text);
    const std::string hash = sha256_hex(std::as_bytes(std::span(text)));
    return work_.path() / concat("cuts-", hash.substr(0, 32), ".json");
  }

  std::optional<Cuts> earlier(const fs::path& path, const SourceRecord& record,
                              RecordingStates& states) const {
    try {
      const Json all = parse_json(read_file(path, kMostCutsBytes), path.string());
      Cuts cuts = cuts_of(all, record.segments.size());
      if (states.is_same(manifest_, record, cuts.recording)) return cuts;
    } catch (const std::exception&) {  // not there or not whole: it is made again
    }
    return std::nullopt;
  }

  std::optional<Reject> cut(const SourceRecord& record, RecordingStates& states,
                            std::vector<Piece>& pieces) const {
    const fs::path path = manifest_.path_of(record);
    const bool inside = record.row >= 0;
    try {
      const SoundLimits limits = {.max_seconds = kMostSecondsOfFile};
      SoundReader reader =
          inside ? SoundReader(states.inner_sound(manifest_, record), record.audio, limits)
                 : SoundReader(path, limits);
      double seconds = 0;
      const std::vector<Silence> silences = silences_of(reader, cutting_, seconds);
      pieces = make_pieces(record.segments, silences, seconds, cutting_.options.pieces);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kNotFound && !inside)
        return Reject{RejectReason::kAudioMissing, {}, "no such file"};
      const bool missing = error.code() == ErrorCode::kNotFound;
      if (!missing && error.code() != ErrorCode::kBadInput &&
          error.code() != ErrorCode::kUnsupported)
        throw;
      return Reject{missing ? RejectReason::kAudioMissing : RejectReason::kAudio,
                    {},
                    without_path(error.what(), path, inside ? record.set_file : record.audio)};
    }
    return std::nullopt;
  }

  const Manifest& manifest_;
  const Cutting& cutting_;
  const WorkFolder& work_;
  std::vector<size_t> wanted_;  // records
  std::vector<Cuts> cuts_;      // of each of these
  std::atomic<size_t> next_{0};
  std::mutex mutex_;
  std::condition_variable news_;
  size_t running_ = 0;
  uint64_t done_ = 0;
  std::exception_ptr failure_;
};

void check_segments(SourceRecord& record) {
  if (!record.segments_fault.empty())
    refuse(record, {RejectReason::kManifest, {}, record.segments_fault});
  if (record.segments.empty()) return;
  if (record.problem) return refuse(record, *record.problem);
  if (record.start_s != 0 || record.end_s != 0)
    refuse(record, {RejectReason::kManifest, {}, "has segments, and start and end beside them"});
  if (!record.codes.empty())
    refuse(record, {RejectReason::kManifest, {}, "has segments, and codes beside them"});
}

}  // namespace

void cut_recordings(Manifest& manifest, const Cutting& cutting, const WorkFolder& work) {
  for (SourceRecord& record : manifest.records) check_segments(record);
  const std::vector<Cuts> cuts = Cutters(manifest, cutting, work).run();
  std::vector<SourceRecord> records;
  auto next = cuts.begin();
  for (SourceRecord& record : manifest.records) {
    const std::vector<TimedText> segments = std::move(record.segments);
    record.segments.clear();
    if (segments.empty()) {
      records.push_back(std::move(record));
      continue;
    }
    const Cuts& one = *next++;
    if (one.reject) {
      record.problem = one.reject;
      records.push_back(std::move(record));
      continue;
    }
    for (const Piece& piece : one.pieces) {
      SourceRecord made = record;
      made.text = joined_text(std::span(segments).subspan(piece.first, piece.last - piece.first));
      made.start_s = piece.start_s;
      made.end_s = piece.end_s;
      made.problem = piece.reject;
      records.push_back(std::move(made));
    }
  }
  manifest.records = std::move(records);
}

Json cut_settings(const CutOptions& options) {
  return {{"seconds", {options.pieces.min_seconds, options.pieces.max_seconds}},
          {"silence_s", options.pieces.silence_s}};
}

}  // namespace kani
