// evaluation_page.cc - the page, see evaluation_page.h.  One utterance is page_utterance.cc.
#include "kani/eval/evaluation_page.h"

#include <algorithm>

#include "kani/base/error.h"
#include "kani/base/html.h"
#include "kani/base/numbers.h"
#include "kani/eval/page_parts.h"
#include "kani/eval/sound_faults.h"

namespace kani {
namespace {

constexpr const char* kStyle = R"(
:root{--bad:#cf222e;--badpaper:#ffebe9;--good:#1a7f37}
@media(prefers-color-scheme:dark){:root{--bad:#ff7b72;--badpaper:#4b1d1f;--good:#56d364}}
.warning{border:1px solid var(--bad);border-radius:.5rem;padding:.5rem .8rem;margin:.6rem 0}
.utterance{border-top:1px solid var(--line);padding:.9rem 0}
.utterance p{margin:.3rem 0;overflow-wrap:anywhere}.utterance h3{font-size:1rem;margin:0;overflow-wrap:anywhere}
.tag{display:inline-block;background:var(--badpaper);color:var(--bad);border-radius:1rem;padding:0 .6rem;margin:0 .2rem .2rem 0;font-size:.85rem;font-weight:400}
.said{display:grid;grid-template-columns:4.2rem 1fr;column-gap:.4rem;align-items:baseline}.who{color:var(--soft);font-size:.9rem}
del{background:var(--badpaper);color:var(--bad);text-decoration:line-through}
ins{background:var(--badpaper);color:var(--bad);text-decoration:underline}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:.6rem;margin-top:.4rem}
.pair img{width:100%;height:6rem;display:block;border-radius:.3rem;image-rendering:auto}.pair audio{max-width:none}
.held{color:var(--good)}.missed{color:var(--bad);font-weight:600}.held,.missed{white-space:nowrap;overflow-wrap:normal}
)";

std::string card(const std::string& value, const std::string& what) {
  return concat("<div class=\"card\"><b>", html_text(value), "</b><span>", html_text(what),
                "</span></div>\n");
}

/// "95 %: 0.20 to 0.36"
std::string bounds(const Json& figure, int digits) {
  return concat("95\u00A0%: ", fixed(figure.at("low").get<double>(), digits), " to ",
                fixed(figure.at("high").get<double>(), digits));
}

std::string overview(const Json& e) {
  const Json& all = e.at("groups").at(0);
  const Json &model = all.at("model"), &teacher = all.at("teacher");
  if (model.is_null()) return "<p class=\"note\">Nothing was judged.</p>\n";
  std::string out = "<div class=\"cards\">\n";
  const auto add = [&](const char* key, const std::string& what, bool share, int digits) {
    const Json& figure = model.at(key);
    if (figure.is_null()) return;
    const auto shown = [&](const Json& f) {
      const double mean = f.at("mean").get<double>();
      return share ? percent(mean) : fixed(mean, digits);
    };
    std::string below = concat(what, share ? "" : ", " + bounds(figure, digits));
    if (!teacher.is_null() && !teacher.at(key).is_null())
      below += concat("; teacher ", shown(teacher.at(key)));
    out += card(shown(figure), below);
  };
  add("wer", "word error rate", false, 3);
  add("cer", "character error rate", false, 3);
  add("faulty", "utterances with a fault", true, 1);
  add("phone_agreement", "nearest to their own sentence", true, 1);
  add("voice_cosine", "likeness of the voice (cosine)", false, 3);
  add("voice_distance", "distance of the voice (cepstra)", false, 3);
  add("length_ratio", "length against what is expected", false, 2);
  add("real_time_factor", "seconds of work for one of sound", false, 2);
  add("first_sound_s", "seconds to the first sound", false, 2);
  return out + "</div>\n";
}

std::string limits(const Json& e) {
  if (!e.contains("limits") || e["limits"].empty()) return {};
  std::string out =
      "<h2>Limits</h2>\n<div class=\"wide\"><table><tr><th>limit</th>"
      "<th class=\"n\">bound</th><th class=\"n\">found</th><th></th></tr>\n";
  for (const Json& one : e["limits"]) {
    const bool held = one.at("held").get<bool>();
    out += concat("<tr><td>", html_text(fault_words(one.at("name").get<std::string>())),
                  "</td><td class=\"n\">", fixed(one.at("bound").get<double>(), 3),
                  "</td><td class=\"n\">",
                  one.at("value").is_null() ? "not measured" : fixed(one["value"].get<double>(), 3),
                  "</td><td class=\"", held ? "held\">held" : "missed\">not held", "</td></tr>\n");
  }
  return out + "</table></div>\n";
}

std::string cell(const Json& side, const char* key, bool share, int digits) {
  if (side.is_null() || side.at(key).is_null()) return "<td class=\"n\"></td>";
  const double mean = side.at(key).at("mean").get<double>();
  return concat("<td class=\"n\">", share ? percent(mean) : fixed(mean, digits), "</td>");
}

std::string groups(const Json& e) {
  std::string out =
      "<h2>Groups</h2>\n<div class=\"wide\"><table><tr><th>group</th><th class=\"n\">judged</th>"
      "<th class=\"n\">WER</th><th class=\"n\">teacher</th><th class=\"n\">CER</th>"
      "<th class=\"n\">faulty</th><th class=\"n\">own sentence</th><th class=\"n\">cosine</th>"
      "<th class=\"n\">length</th><th class=\"n\">RTF</th></tr>\n";
  for (const Json& group : e.at("groups")) {
    const Json &model = group.at("model"), &teacher = group.at("teacher");
    if (model.is_null()) continue;
    out += concat("<tr><td>", html_text(group_name(group)), "</td><td class=\"n\">",
                  model.at("utterances").get<size_t>(), "</td>", cell(model, "wer", false, 3),
                  cell(teacher, "wer", false, 3), cell(model, "cer", false, 3),
                  cell(model, "faulty", true, 1), cell(model, "phone_agreement", true, 1),
                  cell(model, "voice_cosine", false, 3), cell(model, "length_ratio", false, 2),
                  cell(model, "real_time_factor", false, 2), "</tr>\n");
  }
  return out + "</table></div>\n";
}

std::string faults(const Json& e) {
  const Json& all = e.at("groups").at(0);
  const Json &model = all.at("model"), &teacher = all.at("teacher");
  if (model.is_null()) return {};
  std::string rows;
  for (size_t i = 0; i < kFaultKinds; ++i) {
    const std::string name(fault_name(static_cast<Fault>(i)));
    const double own = model.at("faults").at(name).get<double>();
    const double other = teacher.is_null() ? 0 : teacher.at("faults").at(name).get<double>();
    if (own == 0 && other == 0) continue;
    rows +=
        concat("<tr><td>", fault_words(name), "</td><td class=\"n\">", percent(own),
               "</td><td class=\"n\">", teacher.is_null() ? "" : percent(other), "</td></tr>\n");
  }
  if (rows.empty()) return "<h2>Faults</h2>\n<p class=\"note\">None.</p>\n";
  return concat(
      "<h2>Faults</h2>\n<div class=\"wide\"><table><tr><th>fault</th>"
      "<th class=\"n\">utterances</th><th class=\"n\">teacher's</th></tr>\n",
      rows, "</table></div>\n");
}

std::string confusion(const Json& trial, const Json& speakers, const std::string& what) {
  if (trial.is_null()) return {};
  std::string out = concat("<p>", what, ": <b>", percent(trial.at("own").get<double>()), "</b> of ",
                           trial.at("n").get<size_t>(),
                           " are nearest to their own speaker.</p>\n<div class=\"wide\"><table>"
                           "<tr><th>spoken as</th>");
  for (const Json& speaker : speakers)
    out += concat("<th class=\"n\">", html_text(speaker.get<std::string>()), "</th>");
  out += "</tr>\n";
  for (const Json& speaker : speakers) {
    const auto name = speaker.get<std::string>();
    out += concat("<tr><td>", html_text(name), "</td>");
    const Json row = trial.at("confusion").value(name, Json::object());
    for (const Json& other : speakers) {
      const size_t count = row.value(other.get<std::string>(), size_t{0});
      out += concat("<td class=\"n\">", count == 0 ? "·" : std::to_string(count), "</td>");
    }
    out += "</tr>\n";
  }
  return out + "</table></div>\n";
}

std::string trials(const Json& e) {
  std::string out;
  for (const Json& trial : e.at("speaker_trials")) {
    const auto set = trial.at("set").get<std::string>();
    out += concat(
        "<h2>Whose voice? ", html_text(set), "</h2>\n",
        confusion(trial.at("model_by_encoder"), trial.at("speakers"), "By the speaker encoder"),
        confusion(trial.at("model_by_cepstrum"), trial.at("speakers"),
                  "By the spread of the cepstra"));
  }
  return out;
}

std::string utterances(const Json& e, const std::map<std::string, std::string>& pictures) {
  const std::vector<size_t> order = worst_first(e);
  std::string out = "<h2>Utterances, the worst first</h2>\n";
  for (size_t i = 0; i < std::min(order.size(), kMostShown); ++i)
    out += page_utterance(e.at("utterances").at(order[i]), pictures);
  if (order.size() > kMostShown)
    out += concat("<p class=\"note\">The other ", order.size() - kMostShown,
                  " are in eval.json.</p>\n");
  return out;
}

}  // namespace

std::vector<size_t> worst_first(const Json& evaluation) {
  const Json& list = evaluation.at("utterances");
  std::vector<std::pair<double, size_t>> order;
  for (size_t i = 0; i < list.size(); ++i) {
    if (!list[i].contains("model")) continue;
    const Json& model = list[i]["model"];
    const auto faults = static_cast<double>(model.at("faults").size());
    // Word errors decide between as many faults; a rate above 1 is not worse than a fault.
    const double errors = model.value("wer", 0.0);
    order.emplace_back(-(faults + errors / (1 + errors)), i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<size_t> out;
  for (const auto& [badness, index] : order) out.push_back(index);
  return out;
}

std::string evaluation_page(const Json& evaluation,
                            const std::map<std::string, std::string>& pictures) {
  std::string warning;
  if (!evaluation.at("complete").get<bool>()) {
    warning = concat("<p class=\"warning\">This evaluation was interrupted: ",
                     evaluation.at("judged").get<size_t>(), " of ",
                     evaluation.at("sentences").get<size_t>(),
                     " sentences were judged. The same command goes on.</p>\n");
  }
  return concat(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>Evaluation of speech</title><style>",
      report_style(), kStyle, "</style></head><body><main>\n<h1>Evaluation of speech</h1>\n",
      warning, overview(evaluation), limits(evaluation), groups(evaluation), faults(evaluation),
      trials(evaluation), utterances(evaluation, pictures),
      "<h2>How it was made</h2>\n<details><summary>Settings</summary><pre>",
      html_text(dump_json(evaluation.at("settings"), 2)),
      "</pre></details>\n</main></body></html>\n");
}

}  // namespace kani
