// speaker_trials.cc - whose voice is it?  See evaluation.h.
#include <map>
#include <set>

#include "kani/eval/evaluation.h"
#include "kani/eval/statistics.h"

namespace kani {
namespace {

using Nearest = std::optional<std::string> Judgement::*;
using Side = std::optional<Judgement> JudgedSentence::*;

constexpr const char* kNobody = "(nobody)";

/// Null if no utterance was tried.  One in which there is no voice is nobody's, and was tried.
Json trial(const std::vector<const JudgedSentence*>& members, Side side, Nearest nearest,
           uint64_t seed) {
  std::vector<double> own;
  bool tried = false;
  std::map<std::string, std::map<std::string, size_t>> confusion;
  for (const JudgedSentence* one : members) {
    if (!(one->*side)) continue;
    const std::optional<std::string>& found = (one->*side).value().*nearest;
    tried = tried || found;
    own.push_back(found == one->sentence.speaker ? 1 : 0);
    ++confusion[one->sentence.speaker][found.value_or(kNobody)];
  }
  if (!tried) return nullptr;
  const Figure figure = mean_figure(own, seed);
  return {{"n", figure.n},
          {"own", figure.mean},
          {"low", figure.low},
          {"high", figure.high},
          {"confusion", confusion}};
}

}  // namespace

Json speaker_trials(const Evaluation& evaluation) {
  std::map<std::string, std::vector<const JudgedSentence*>> sets;
  for (const JudgedSentence& one : evaluation.sentences) {
    if (!one.sentence.speaker.empty()) sets[one.sentence.set].push_back(&one);
  }
  Json trials = Json::array();
  for (const auto& [name, members] : sets) {
    std::set<std::string> speakers;
    for (const JudgedSentence* one : members) speakers.insert(one->sentence.speaker);
    if (speakers.size() < 2) continue;
    Json entry = {{"set", name}, {"speakers", speakers}};
    const struct {
      const char* key;
      Side side;
      Nearest nearest;
    } kinds[] = {
        {"model_by_encoder", &JudgedSentence::model, &Judgement::nearest_by_encoder},
        {"model_by_cepstrum", &JudgedSentence::model, &Judgement::nearest_by_cepstrum},
        {"teacher_by_encoder", &JudgedSentence::teacher, &Judgement::nearest_by_encoder},
        {"teacher_by_cepstrum", &JudgedSentence::teacher, &Judgement::nearest_by_cepstrum}};
    for (const auto& kind : kinds)
      entry[kind.key] = trial(members, kind.side, kind.nearest, evaluation.seed);
    trials.push_back(std::move(entry));
  }
  return trials;
}

}  // namespace kani
