// eval_measures.cc - see eval_measures.h.
#include "apps/kani/eval_measures.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "apps/kani/eval_sounds.h"
#include "apps/kani/signals.h"
#include "kani/audio/sound_reader.h"
#include "kani/base/error.h"
#include "kani/base/log.h"
#include "kani/eval/spoken_words.h"

namespace kani::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostReferences = 5;  // of a speaker

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double product = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    product += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    aa += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    bb += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return aa > 0 && bb > 0 ? product / std::sqrt(aa * bb) : 0;
}

/// Recordings too short to be any voice.
bool is_too_short(const Error& error) { return error.code() == ErrorCode::kBadInput; }

}  // namespace

EvalMeasures::EvalMeasures(const EvalOptions& options, const Hearing& hearing, const fs::path& out)
    : options_(options), hearing_(hearing), out_(out) {
  if (options.no_speaker) return;
  try {
    encoder_ = std::make_unique<VoiceEncoder>(eval_encoder_options(options));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound || !options.model.speaker_encoder.empty()) throw;
    log_warning("eval", error.what(), "; voices are compared by their cepstra alone");
  }
}

std::optional<std::vector<float>> EvalMeasures::vector_of(const Paths& recordings) {
  if (!encoder_) return std::nullopt;
  try {
    return encoder_->clone(recordings, &cancel_token()).voice.values;
  } catch (const Error& error) {
    if (!is_too_short(error)) throw;
    return std::nullopt;
  }
}

const EvalMeasures::VoiceMark& EvalMeasures::mark_of(const Paths& recordings) {
  std::string name;
  for (const fs::path& path : recordings) name += path.string() + "\n";
  const auto at = marks_.find(name);
  if (at != marks_.end()) return at->second;
  std::vector<CepstrumFrame> frames;
  for (const fs::path& path : recordings) {
    const Sound sound = read_sound(path);
    const std::vector<CepstrumFrame> some = mel_cepstrum(sound.samples, sound.rate_hz);
    frames.insert(frames.end(), some.begin(), some.end());
  }
  return marks_[name] = {vector_of(recordings), voice_spread(frames)};
}

EvalMeasures::Measured EvalMeasures::measure(const EvalSentence& sentence, const fs::path& path,
                                             double expected_s) {
  const Sound sound = read_sound(path);
  const std::vector<CepstrumFrame> frames = mel_cepstrum(sound.samples, sound.rate_hz);
  Measured out;
  RecordingFacts facts;
  facts.mono = sound.samples;
  facts.rate_hz = sound.rate_hz;
  facts.frames = frames;
  facts.expected_s = expected_s;
  facts.heard = hearing_.heard(path);
  facts.listened = listened_;
  out.judgement = judge_recording(sentence, facts);
  out.judgement.file = path.lexically_relative(out_).generic_string();
  out.seconds = out.judgement.sound.seconds;
  out.mark = {out.judgement.sound.speech_s > 0 ? vector_of({path}) : std::nullopt,
              voice_spread(frames)};
  out.warp = warp_frames(frames);
  return out;
}

/// Of each speaker in the set: the recordings that the list names, else his references, or the
/// teacher's recordings of him.
EvalMeasures::Speakers EvalMeasures::speakers_of(const std::vector<EvalItem>& items,
                                                 const std::string& set, bool references) {
  std::map<std::string, Paths> recordings, named;
  const auto add = [](Paths& known, const fs::path& path) {
    if (!path.empty() && std::find(known.begin(), known.end(), path) == known.end())
      known.push_back(path);
  };
  for (const EvalItem& item : items) {
    if (item.sentence.set != set || item.sentence.speaker.empty()) continue;
    for (const fs::path& path : item.sentence.recordings) add(named[item.sentence.speaker], path);
    Paths& known = recordings[item.sentence.speaker];
    if (known.size() < kMostReferences)
      add(known, references ? item.sentence.reference : item.teacher);
  }
  if (references) {
    for (auto& [speaker, paths] : named) recordings[speaker] = std::move(paths);
  }
  Speakers speakers;
  if (recordings.size() < 2) return speakers;
  for (const auto& [speaker, paths] : recordings) {
    if (paths.empty()) return {};  // somebody who cannot be found makes all trials unfair
    speakers[speaker] = mark_of(paths);
  }
  return speakers;
}

void EvalMeasures::compare(const EvalItem& item, Measured& measured, bool is_teacher,
                           const Speakers& speakers) {
  Judgement& out = measured.judgement;
  Paths reference;
  if (!item.sentence.reference.empty()) {
    reference = {item.sentence.reference};
  } else if (!options_.recordings.empty()) {
    reference = {options_.recordings.begin(), options_.recordings.end()};
  } else if (!item.teacher.empty() && !is_teacher) {
    reference = {item.teacher};
  }
  if (!reference.empty()) {
    const VoiceMark& mark = mark_of(reference);
    if (measured.mark.vector && mark.vector)
      out.voice_cosine = cosine(*measured.mark.vector, *mark.vector);
    if (measured.mark.spread && mark.spread)
      out.voice_distance = voice_distance(*measured.mark.spread, *mark.spread);
  }
  double nearest_angle = -2, nearest_distance = INFINITY;
  for (const auto& [speaker, mark] : speakers) {
    if (measured.mark.vector && mark.vector) {
      const double alike = cosine(*measured.mark.vector, *mark.vector);
      if (alike > nearest_angle) out.nearest_by_encoder = speaker;
      nearest_angle = std::max(nearest_angle, alike);
    }
    if (measured.mark.spread && mark.spread) {
      const double distance = voice_distance(*measured.mark.spread, *mark.spread);
      if (distance < nearest_distance) out.nearest_by_cepstrum = speaker;
      nearest_distance = std::min(nearest_distance, distance);
    }
  }
}

void EvalMeasures::judge(const std::vector<EvalItem>& items, Evaluation& evaluation) {
  listened_ = evaluation.complete && hearing_.listens();
  std::map<std::string, Speakers> by_references, by_teacher;
  std::set<std::string> sets;
  for (const EvalItem& item : items) sets.insert(item.sentence.set);
  for (const std::string& set : sets) {
    by_references[set] = speakers_of(items, set, /*references=*/true);
    if (by_references[set].empty()) by_teacher[set] = speakers_of(items, set, /*references=*/false);
  }
  std::vector<WarpPair> pairs;
  for (const EvalItem& item : items) {
    JudgedSentence judged;
    judged.sentence = item.sentence;
    WarpPair pair;
    const std::string& set = item.sentence.set;
    const Speakers& references = by_references[set];
    double expected_s = expected_seconds(item.sentence.text, item.sentence.language);
    if (!item.teacher.empty()) {
      Measured teacher = measure(item.sentence, item.teacher, expected_s);
      compare(item, teacher, /*is_teacher=*/true, references);
      expected_s = std::max(teacher.seconds, 0.1);
      pair.teacher = std::move(teacher.warp);
      judged.teacher = std::move(teacher.judgement);
    }
    const bool waits = !evaluation.complete && hearing_.listens() && !item.sound.empty() &&
                       !hearing_.heard(item.sound);
    if (!item.sound.empty() && !waits) {
      Measured model = measure(item.sentence, item.sound, expected_s);
      compare(item, model, /*is_teacher=*/false, references.empty() ? by_teacher[set] : references);
      model.judgement.times = item.times;
      if (item.times && item.times->truncated) add_fault(Fault::kCut, model.judgement.faults);
      pair.model = std::move(model.warp);
      judged.model = std::move(model.judgement);
    }
    evaluation.sentences.push_back(std::move(judged));
    pairs.push_back(std::move(pair));
  }
  measure_phone_agreement(evaluation, pairs);
}

}  // namespace kani::cli
