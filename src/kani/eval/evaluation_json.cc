// evaluation_json.cc - eval.json, see evaluation.h and docs/evaluation.md.
#include "kani/eval/evaluation.h"

namespace kani {
namespace {

Json to_json(const EditCounts& counts) {
  return {{"length", counts.length},
          {"substitutions", counts.substitutions},
          {"insertions", counts.insertions},
          {"deletions", counts.deletions}};
}

template <typename T>
void put(Json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = *value;
}

Json to_json(const Judgement& j) {
  Json faults = Json::array();
  for (const Fault fault : j.faults) faults.push_back(fault_name(fault));
  Json json = {{"file", j.file},
               {"seconds", j.sound.seconds},
               {"expected_s", j.expected_s},
               {"speech_s", j.sound.speech_s},
               {"leading_silence_s", j.sound.leading_s},
               {"trailing_silence_s", j.sound.trailing_s},
               {"longest_pause_s", j.sound.longest_pause_s},
               {"end_below_loud_db", j.sound.end_below_loud_db},
               {"falls_at_once", j.sound.falls_at_once},
               {"voiced_share", j.sound.voiced_share},
               {"clipped_share", j.sound.clipped_share},
               {"repeat_s", j.sound.repeat_s},
               {"repeat_lag_s", j.sound.repeat_lag_s},
               {"faults", std::move(faults)}};
  put(json, "voice_cosine", j.voice_cosine);
  put(json, "voice_distance", j.voice_distance);
  put(json, "nearest_by_encoder", j.nearest_by_encoder);
  put(json, "nearest_by_cepstrum", j.nearest_by_cepstrum);
  put(json, "own_nearest", j.own_nearest);
  put(json, "own_distance_ratio", j.own_distance_ratio);
  if (j.heard) {
    json["heard"] = *j.heard;
    json["words"] = to_json(j.words);
    json["wer"] = j.words.rate();
    json["characters"] = to_json(j.characters);
    json["cer"] = j.characters.rate();
    json["repeated_words"] = j.repeated_words;
  }
  if (j.times) {
    json["real_time_factor"] = j.times->real_time_factor;
    json["first_sound_s"] = j.times->first_sound_s;
    json["seed"] = j.times->seed;
    json["truncated"] = j.times->truncated;
  }
  return json;
}

}  // namespace

Json evaluation_json(const Evaluation& evaluation) {
  Json utterances = Json::array();
  size_t judged = 0;
  for (const JudgedSentence& one : evaluation.sentences) {
    Json entry = {{"id", one.sentence.id},
                  {"text", one.sentence.text},
                  {"language", one.sentence.language},
                  {"speaker", one.sentence.speaker},
                  {"set", one.sentence.set}};
    if (one.model) entry["model"] = to_json(*one.model);
    if (one.teacher) entry["teacher"] = to_json(*one.teacher);
    judged += one.model ? 1 : 0;
    utterances.push_back(std::move(entry));
  }
  return {{"schema", "kani-eval-1"},
          {"complete", evaluation.complete},
          {"sentences", evaluation.asked},
          {"judged", judged},
          {"settings", evaluation.settings},
          {"groups", evaluation_groups(evaluation)},
          {"speaker_trials", speaker_trials(evaluation)},
          {"utterances", std::move(utterances)}};
}

}  // namespace kani
