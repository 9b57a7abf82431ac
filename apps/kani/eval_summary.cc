// eval_summary.cc - see eval_summary.h.
#include "apps/kani/eval_summary.h"

#include <cstdio>
#include <functional>
#include <optional>

#include "apps/kani/table.h"
#include "kani/base/error.h"
#include "kani/eval/page_parts.h"

namespace kani::cli {
namespace {

std::string digits(const char* format, double value) {
  char text[40];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// "0.280 [0.20 0.36]"
std::string with_bounds(const Json& figure) {
  return concat(digits("%.3f", figure.at("mean").get<double>()), " [",
                digits("%.2f", figure.at("low").get<double>()), " ",
                digits("%.2f", figure.at("high").get<double>()), "]");
}

struct Column {
  const char* name;
  const char* side;
  const char* key;
  std::function<std::string(const Json&)> show;
};

std::vector<Column> columns() {
  const auto mean = [](const char* format, double factor) {
    return [=](const Json& f) { return digits(format, factor * f.at("mean").get<double>()); };
  };
  return {{"WER [95 %]", "model", "wer", with_bounds},
          {"teacher", "teacher", "wer", mean("%.3f", 1)},
          {"CER", "model", "cer", mean("%.3f", 1)},
          {"faulty", "model", "faulty", mean("%.1f %%", 100)},
          {"own sentence", "model", "phone_agreement", mean("%.1f %%", 100)},
          {"cosine", "model", "voice_cosine", mean("%.3f", 1)},
          {"voice distance", "model", "voice_distance", mean("%.3f", 1)},
          {"length", "model", "length_ratio", mean("%.2f", 1)},
          {"RTF", "model", "real_time_factor", mean("%.2f", 1)},
          {"first sound, s", "model", "first_sound_s", mean("%.2f", 1)}};
}

const Json* figure_of(const Json& group, const Column& column) {
  const Json& side = group.at(column.side);
  if (side.is_null() || side.at(column.key).is_null()) return nullptr;
  return &side.at(column.key);
}

std::optional<double> mean_of(const Json& side, const char* key) {
  if (side.is_null() || !side.contains(key) || side[key].is_null()) return std::nullopt;
  return side[key].at("mean").get<double>();
}

/// Over all trials, by the encoder where there is one.
std::optional<double> own_speaker(const Json& document) {
  double own = 0, count = 0;
  for (const Json& trial : document.at("speaker_trials")) {
    const Json& by = trial.at("model_by_encoder").is_null() ? trial.at("model_by_cepstrum")
                                                            : trial.at("model_by_encoder");
    if (by.is_null()) continue;
    own += by.at("own").get<double>() * by.at("n").get<double>();
    count += by.at("n").get<double>();
  }
  return count == 0 ? std::nullopt : std::optional<double>(own / count);
}

bool all_heard(const Json& side) {
  return !side.is_null() && side.at("faults").at("unheard").get<double>() == 0;
}

}  // namespace

std::string eval_table(const Json& document) {
  std::vector<Row> rows = {{"group", "judged"}};
  const Json& groups = document.at("groups");
  for (const Json& group : groups) {
    if (group.at("model").is_null()) continue;
    rows.push_back(
        {printable(group_name(group), 60), concat(group["model"].at("utterances").get<size_t>())});
  }
  for (const Column& column : columns()) {
    if (figure_of(groups.at(0), column) == nullptr) continue;
    rows[0].push_back(column.name);
    size_t row = 1;
    for (const Json& group : groups) {
      if (group.at("model").is_null()) continue;
      const Json* figure = figure_of(group, column);
      rows[row++].push_back(figure == nullptr ? "-" : column.show(*figure));
    }
  }
  return plain_table(rows);
}

Json eval_limits(const EvalOptions& options, const Json& document) {
  const Json& all = document.at("groups").at(0);
  const Json& model = all.at("model");
  const bool heard = all_heard(model);
  const bool both = heard && all_heard(all.at("teacher"));
  Json limits = Json::array();
  const auto hold = [&](const char* name, std::optional<double> bound, std::optional<double> value,
                        bool at_most) {
    if (!bound) return;
    const bool held = value && (at_most ? *value <= *bound : *value >= *bound);
    limits.push_back({{"name", name},
                      {"bound", *bound},
                      {"at_most", at_most},
                      {"value", value ? Json(*value) : Json()},
                      {"held", held}});
  };
  const std::optional<double> unknown;
  hold("max_wer", options.max_wer, heard ? mean_of(model, "wer") : unknown, true);
  hold("max_wer_over_teacher", options.max_wer_over_teacher,
       both ? mean_of(all.at("over_teacher"), "wer_difference") : unknown, true);
  hold("max_faulty", options.max_faulty, mean_of(model, "faulty"), true);
  hold("min_own_speaker", options.min_own_speaker, own_speaker(document), false);
  return limits;
}

std::string limit_words(const Json& limit) {
  const Json& value = limit.at("value");
  return concat(limit.at("name").get<std::string>(), " is ",
                value.is_null() ? "not known" : digits("%.4g", value.get<double>()), ", at ",
                limit.at("at_most").get<bool>() ? "most " : "least ",
                digits("%.4g", limit.at("bound").get<double>()));
}

}  // namespace kani::cli
