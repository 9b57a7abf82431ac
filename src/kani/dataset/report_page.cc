// report_page.cc - see report_page.h.
#include "kani/dataset/report_page.h"

#include <vector>

#include "kani/base/error.h"
#include "kani/base/html.h"
#include "kani/base/numbers.h"

namespace kani {
namespace {

std::string percent(double share) { return fixed(100 * share, share < 0.1 ? 2 : 1) + " %"; }

std::string card(const std::string& value, std::string_view what) {
  return concat("<div class=\"card\"><b>", html_text(value), "</b><span>", html_text(what),
                "</span></div>\n");
}

uint64_t whole(const Json& json, const char* key) { return json.at(key).get<uint64_t>(); }
double real(const Json& json, const char* key) { return json.at(key).get<double>(); }

std::string overview(const Json& r) {
  const Json& train = r.at("splits").at("train");
  const uint64_t records = whole(r, "records"), rejected = whole(r.at("rejected"), "records");
  std::string out = "<div class=\"cards\">\n";
  out += card(length_text(real(train, "hours")), "to train on");
  out += card(grouped(whole(train, "clips")), "clips to train on");
  for (const char* name : {"valid", "test"}) {
    const Json& split = r.at("splits").at(name);
    if (whole(split, "clips") == 0) continue;
    out += card(concat(grouped(whole(split, "clips")), " · ", length_text(real(split, "hours"))),
                concat("kept for ", std::string_view(name) == "valid" ? "validation" : "the test"));
  }
  out += card(grouped(whole(r, "speakers_in_all")), "speakers with a name");
  const double share =
      records == 0 ? 0 : static_cast<double>(rejected) / static_cast<double>(records);
  out += card(concat(grouped(rejected), " · ", percent(share)),
              concat("rejected of ", grouped(records), " records"));
  out += card(length_text(real(r, "trimmed_hours")), "of silence trimmed");
  out += card(grouped(whole(r, "narrow_clips")), "clips without sound above 5 kHz");
  return out + "</div>\n";
}

std::string training(const Json& r) {
  const Json& t = r.at("training");
  const auto per_update = static_cast<uint64_t>(real(t, "elements_per_update"));
  std::string out = "<h2>For the trainer</h2>\n<div class=\"cards\">\n";
  out += card(grouped(whole(t, "text_ids")), "text tokens");
  out += card(grouped(4 * whole(t, "frames")), "audio tokens");
  out += card(grouped(whole(t, "elements")), "sequence elements");
  out += card(grouped(static_cast<uint64_t>(real(t, "updates_per_epoch"))),
              concat("updates an epoch, of ", grouped(per_update), " elements"));
  return out + "</div>\n";
}

std::string charts(const Json& r) {
  const Json& h = r.at("histograms");
  return "<h2>What the clips are like</h2>\n<div class=\"charts\">\n" +
         histogram_svg(h.at("seconds"), "Length", "seconds") +
         histogram_svg(h.at("characters_per_second"), "Speed of speech", "characters a second") +
         histogram_svg(h.at("loudness_lufs"), "Loudness of the recordings", "LUFS") +
         histogram_svg(h.at("noise_distance_db"), "Noise below the voice", "dB") + "</div>\n";
}

std::string lengths(const Json& r) {
  const Json& d = r.at("lengths").at("duration_seconds");
  return concat("<p class=\"note\">Clips to train on: mean ", fixed(real(d, "mean"), 2),
                " s, deviation ", fixed(real(d, "std"), 2), " s, shortest ",
                fixed(real(d, "min"), 2), " s, quarters at ",
                fixed(real(d.at("quartiles"), "q25"), 2), ", ", fixed(real(d, "median"), 2),
                " and ", fixed(real(d.at("quartiles"), "q75"), 2), " s, longest ",
                fixed(real(d, "max"), 2), " s.</p>\n");
}

std::string groups(const Json& list, std::string_view title, std::string_view what,
                   uint64_t in_all) {
  std::string out = concat("<h2>", title, "</h2>\n<div class=\"wide\"><table><tr><th>", what,
                           "</th><th class=\"n\">clips</th><th class=\"n\">length</th>"
                           "<th class=\"n\">rejected</th><th class=\"n\">bad</th></tr>\n");
  for (const Json& one : list) {
    std::string name = one.at("name").get<std::string>();
    name = name.empty() ? "<i>not said</i>" : html_text(name);
    if (one.contains("licences")) {
      for (const Json& licence : one["licences"])
        name +=
            concat("<br><span class=\"note\">", html_text(licence.get<std::string>()), "</span>");
    }
    out += concat("<tr><td>", name, "</td><td class=\"n\">", grouped(whole(one, "clips")),
                  "</td><td class=\"n\">", length_text(real(one, "hours")), "</td><td class=\"n\">",
                  grouped(whole(one, "rejected")), "</td><td class=\"n\">",
                  percent(real(one, "error_share")), "</td></tr>\n");
  }
  out += "</table></div>\n";
  if (in_all > list.size())
    out += concat("<p class=\"note\">The ", list.size(), " with most sound of ", grouped(in_all),
                  ".</p>\n");
  return out;
}

std::string rejects(const Json& r) {
  const Json& rejected = r.at("rejected");
  std::string out = "<h2>Rejected</h2>\n";
  if (whole(rejected, "records") == 0) return out + "<p class=\"note\">Nothing.</p>\n";
  const Json& duplicates = r.at("duplicates");
  out += concat("<p class=\"note\">Among them repetitions: ", grouped(whole(duplicates, "sound")),
                " of the same samples, ", grouped(whole(duplicates, "codes")),
                " of nearly the same sound, ", grouped(whole(duplicates, "text")),
                " of a text by its speaker, ", grouped(whole(duplicates, "other_split")),
                " of another split. Every record is in rejects.jsonl.</p>\n");
  for (const Json& reason : rejected.at("reasons")) {
    out += concat("<details><summary>", html_text(reason.at("reason").get<std::string>()), " <b>",
                  grouped(whole(reason, "records")), "</b></summary><ul>\n");
    for (const Json& one : reason.at("worst")) {
      out += "<li>" + html_text(one.value("audio", ""));
      if (one.contains("value")) out += concat(": ", to_text(real(one, "value")));
      if (one.contains("detail"))
        out += concat(" <span class=\"note\">", html_text(one["detail"].get<std::string>()),
                      "</span>");
      out += "</li>\n";
    }
    out += "</ul></details>\n";
  }
  return out;
}

std::string samples(const Json& r) {
  const Json& list = r.at("samples");
  if (list.empty()) return {};
  std::string out =
      "<h2>To listen to</h2>\n<p class=\"note\">Clips as the model will hear them: decoded from "
      "their codes.</p>\n";
  for (const Json& one : list) {
    const std::string speaker = one.value("speaker", "");
    out += concat("<p>", html_text(one.value("text", "")), "<br><span class=\"note\">",
                  html_text(speaker.empty() ? std::string() : speaker + ", "),
                  fixed(real(one, "seconds"), 1), " s, ", html_text(one.value("audio", "")),
                  "</span><audio controls preload=\"none\" src=\"",
                  html_text(one.value("file", "")), "\"></audio></p>\n");
  }
  return out;
}

}  // namespace

std::string length_text(double hours) {
  if (hours >= 100) return grouped(static_cast<uint64_t>(hours + 0.5)) + " h";
  if (hours >= 2) return fixed(hours, 1) + " h";
  return hours * 60 >= 1 ? fixed(hours * 60, 1) + " min" : fixed(hours * 3600, 1) + " s";
}

std::string grouped(uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); i++) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string report_page(const Json& report) {
  const Json settings = {{"made_from", report.at("made_from")},
                         {"settings", report.at("settings")}};
  return concat(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>Training data</title><style>",
      report_style(), "</style></head><body><main>\n<h1>Training data</h1>\n", overview(report),
      charts(report), lengths(report), training(report), samples(report),
      groups(report.at("languages"), "Languages", "language", 0),
      groups(report.at("sources"), "Sources", "source", 0),
      groups(report.at("speakers"), "Speakers", "speaker", whole(report, "speakers_in_all")),
      rejects(report), "<h2>How it was made</h2>\n<details><summary>Settings</summary><pre>",
      html_text(dump_json(settings, 2)), "</pre></details>\n</main></body></html>\n");
}

}  // namespace kani
