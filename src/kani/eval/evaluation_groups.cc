// evaluation_groups.cc - means, medians and bounds of all utterances, of each set, speaker and
// language, see evaluation.h.
#include <functional>
#include <map>

#include "kani/base/error.h"
#include "kani/eval/evaluation.h"
#include "kani/eval/statistics.h"

namespace kani {
namespace {

using Members = std::vector<const JudgedSentence*>;
using Judgements = std::vector<const Judgement*>;

Json to_json(const Figure& figure) {
  return {{"n", figure.n},
          {"mean", figure.mean},
          {"median", figure.median},
          {"low", figure.low},
          {"high", figure.high}};
}

Json counted(const EditCounts& sum, const Figure& figure) {
  Json json = to_json(figure);
  json["length"] = sum.length;
  json["substitutions"] = sum.substitutions;
  json["insertions"] = sum.insertions;
  json["deletions"] = sum.deletions;
  return json;
}

Json error_figure(const Judgements& all, EditCounts Judgement::*counts, uint64_t seed) {
  EditCounts sum;
  std::vector<Part> parts;
  for (const Judgement* one : all) {
    if (!one->heard) continue;
    sum += one->*counts;
    parts.push_back(
        {static_cast<double>((one->*counts).errors()), static_cast<double>((one->*counts).length)});
  }
  return parts.empty() ? Json() : counted(sum, ratio_figure(parts, seed));
}

/// Null if no utterance has it.
Json value_figure(const Judgements& all, uint64_t seed,
                  const std::function<std::optional<double>(const Judgement&)>& value_of) {
  std::vector<double> values;
  for (const Judgement* one : all) {
    if (const std::optional<double> value = value_of(*one)) values.push_back(*value);
  }
  return values.empty() ? Json() : to_json(mean_figure(values, seed));
}

Json fault_shares(const Judgements& all) {
  std::vector<size_t> counts(kFaultKinds);
  for (const Judgement* one : all) {
    for (const Fault fault : one->faults) ++counts[static_cast<size_t>(fault)];
  }
  Json shares = Json::object();
  for (size_t i = 0; i < kFaultKinds; ++i) {
    shares[std::string(fault_name(static_cast<Fault>(i)))] =
        static_cast<double>(counts[i]) / static_cast<double>(all.size());
  }
  return shares;
}

Json side(const Judgements& all, uint64_t seed) {
  using Value = std::optional<double>;
  Json json = {{"utterances", all.size()}};
  json["wer"] = error_figure(all, &Judgement::words, seed);
  json["cer"] = error_figure(all, &Judgement::characters, seed);
  const auto put = [&](const char* key, const std::function<Value(const Judgement&)>& value_of) {
    json[key] = value_figure(all, seed, value_of);
  };
  put("seconds", [](const Judgement& j) { return Value(j.sound.seconds); });
  put("length_ratio", [](const Judgement& j) { return Value(j.sound.seconds / j.expected_s); });
  put("voice_cosine", [](const Judgement& j) { return j.voice_cosine; });
  put("voice_distance", [](const Judgement& j) { return j.voice_distance; });
  put("real_time_factor",
      [](const Judgement& j) { return j.times ? Value(j.times->real_time_factor) : Value(); });
  put("first_sound_s",
      [](const Judgement& j) { return j.times ? Value(j.times->first_sound_s) : Value(); });
  put("phone_agreement",
      [](const Judgement& j) { return j.own_nearest ? Value(*j.own_nearest ? 1 : 0) : Value(); });
  put("phone_distance_ratio", [](const Judgement& j) { return j.own_distance_ratio; });
  put("faulty", [](const Judgement& j) { return Value(j.faults.empty() ? 0 : 1); });
  json["faults"] = fault_shares(all);
  return json;
}

/// Differences and ratios over the sentences that both have.
Json over_teacher(const Members& members, uint64_t seed) {
  std::vector<Part> model, teacher, model_chars, teacher_chars, seconds;
  std::vector<double> cosine;
  const auto part = [](const EditCounts& c) {
    return Part{static_cast<double>(c.errors()), static_cast<double>(c.length)};
  };
  for (const JudgedSentence* one : members) {
    if (!one->model || !one->teacher) continue;
    const Judgement &m = *one->model, &t = *one->teacher;
    seconds.push_back({m.sound.seconds, t.sound.seconds});
    if (m.voice_cosine && t.voice_cosine) cosine.push_back(*m.voice_cosine - *t.voice_cosine);
    if (!m.heard || !t.heard) continue;
    model.push_back(part(m.words));
    teacher.push_back(part(t.words));
    model_chars.push_back(part(m.characters));
    teacher_chars.push_back(part(t.characters));
  }
  if (seconds.empty()) return nullptr;
  Json json = {{"seconds_ratio", to_json(ratio_figure(seconds, seed))}};
  const auto compare = [&](const std::string& name, const std::vector<Part>& a,
                           const std::vector<Part>& b) {
    if (a.empty()) return;
    json[name + "_difference"] = to_json(difference_figure(a, b, seed));
    double above = 0, below = 0;
    for (const Part& p : a) above += p.above;
    for (const Part& p : b) below += p.above;
    json[name + "_ratio"] = below == 0 ? Json() : Json(above / below);
  };
  compare("wer", model, teacher);
  compare("cer", model_chars, teacher_chars);
  if (!cosine.empty()) json["voice_cosine_difference"] = to_json(mean_figure(cosine, seed));
  return json;
}

Json group(const std::string& by, const std::string& name, const Members& members, uint64_t seed) {
  Judgements model, teacher;
  for (const JudgedSentence* one : members) {
    if (one->model) model.push_back(&*one->model);
    if (one->teacher && one->model) teacher.push_back(&*one->teacher);
  }
  Json json = {{"by", by}, {"name", name}, {"sentences", members.size()}};
  json["model"] = model.empty() ? Json() : side(model, seed);
  json["teacher"] = teacher.empty() ? Json() : side(teacher, seed);
  json["over_teacher"] = over_teacher(members, seed);
  return json;
}

}  // namespace

Json evaluation_groups(const Evaluation& evaluation) {
  const struct {
    const char* by;
    std::string EvalSentence::*name;
  } kinds[] = {{"set", &EvalSentence::set},
               {"speaker", &EvalSentence::speaker},
               {"language", &EvalSentence::language}};
  Members all;
  for (const JudgedSentence& one : evaluation.sentences) all.push_back(&one);
  Json groups = Json::array({group("all", "", all, evaluation.seed)});
  for (const auto& kind : kinds) {
    std::map<std::string, Members> members;
    for (const JudgedSentence* one : all) members[one->sentence.*kind.name].push_back(one);
    if (members.size() == 1 && members.begin()->first.empty()) continue;
    for (const auto& [name, those] : members)
      groups.push_back(group(kind.by, name, those, evaluation.seed));
  }
  return groups;
}

}  // namespace kani
