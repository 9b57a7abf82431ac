// page_utterance.cc - one utterance on the page: texts against each other, pictures, players.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "kani/base/error.h"
#include "kani/base/html.h"
#include "kani/base/numbers.h"
#include "kani/eval/evaluation_page.h"
#include "kani/eval/page_parts.h"
#include "kani/eval/spectrogram.h"
#include "kani/eval/spoken_words.h"
#include "kani/eval/word_errors.h"

namespace kani {
namespace {

void add_word(std::string& line, const std::string& word, const char* mark) {
  if (!line.empty()) line += ' ';
  line +=
      *mark == '\0' ? html_text(word) : concat("<", mark, ">", html_text(word), "</", mark, ">");
}

/// A sound's name as an address: what is not plain is written as %XX.
std::string address(const std::string& file) {
  std::string out;
  for (const char c : file) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') ||
                       ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || c == '/' || c == '.' ||
                       c == '_' || c == '-';
    char code[4];
    std::snprintf(code, sizeof code, "%%%02X", byte);
    out += plain ? std::string(1, c) : std::string(code);
  }
  return out;
}

std::string measures(const Json& side) {
  std::string out = concat(fixed(side.at("seconds").get<double>(), 2), " s");
  const auto add = [&](const char* key, const char* name, int digits) {
    if (side.contains(key)) out += concat(", ", name, " ", fixed(side[key].get<double>(), digits));
  };
  add("wer", "WER", 2);
  add("voice_cosine", "cosine", 2);
  add("voice_distance", "voice distance", 2);
  add("own_distance_ratio", "own sentence", 2);
  add("real_time_factor", "RTF", 2);
  return out;
}

std::string player(const Json& side, const char* who,
                   const std::map<std::string, std::string>& pictures) {
  const auto file = side.at("file").get<std::string>();
  const auto picture = pictures.find(file);
  std::string out = "<figure>";
  if (picture != pictures.end() && !picture->second.empty()) {
    out += concat("<img loading=\"lazy\" alt=\"Spectrogram, ", who,
                  "\" src=\"data:image/png;base64,", base64(picture->second), "\">");
  }
  return concat(out, "<audio controls preload=\"none\" aria-label=\"", who, "\" src=\"",
                address(file), "\"></audio><span class=\"note\">", who, ": ", measures(side),
                "</span></figure>");
}

std::string heard_line(const char* who, const std::string& text) {
  return concat("<p class=\"said\"><span class=\"who\">", who, "</span><span>", text,
                "</span></p>");
}

}  // namespace

std::string percent(double share) { return fixed(100 * share, 1) + " %"; }

std::string fault_words(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string group_name(const Json& group) {
  const auto by = group.at("by").get<std::string>(), name = group.at("name").get<std::string>();
  if (by == "all") return by;
  return name.empty() ? concat("no ", by) : concat(by, " ", name);
}

MarkedTexts marked_texts(const std::string& spoken, const std::string& heard,
                         const std::string& language) {
  const std::vector<std::string> said = spoken_words(spoken, language);
  const std::vector<std::string> got = spoken_words(heard, language);
  MarkedTexts out;
  for (const EditStep& step : align_words(said, got)) {
    if (step.edit != Edit::kAdded)
      add_word(out.spoken, said[step.spoken], step.edit == Edit::kSame ? "" : "del");
    if (step.edit != Edit::kDropped)
      add_word(out.heard, got[step.heard], step.edit == Edit::kSame ? "" : "ins");
  }
  return out;
}

std::string page_utterance(const Json& utterance,
                           const std::map<std::string, std::string>& pictures) {
  const Json& model = utterance.at("model");
  const auto text = utterance.at("text").get<std::string>();
  const auto language = utterance.at("language").get<std::string>();
  std::string head = html_text(utterance.at("id").get<std::string>());
  for (const char* key : {"set", "speaker", "language"}) {
    const auto value = utterance.at(key).get<std::string>();
    if (!value.empty())
      head += concat(" <span class=\"note\">", key, " ", html_text(value), "</span>");
  }
  std::string tags;
  for (const Json& fault : model.at("faults"))
    tags += concat("<span class=\"tag\">", fault_words(fault.get<std::string>()), "</span>");
  std::string out = concat("<section class=\"utterance\"><h3>", head, " ", tags, "</h3>",
                           heard_line("text", html_text(text)));
  if (model.contains("heard")) {
    const MarkedTexts marked = marked_texts(text, model["heard"].get<std::string>(), language);
    out += heard_line("spoken", marked.spoken) + heard_line("heard", marked.heard);
  }
  if (utterance.contains("teacher") && utterance["teacher"].contains("heard")) {
    const MarkedTexts marked =
        marked_texts(text, utterance["teacher"]["heard"].get<std::string>(), language);
    out += heard_line("teacher", marked.heard);
  }
  out += concat("<div class=\"pair\">", player(model, "model", pictures));
  if (utterance.contains("teacher")) out += player(utterance["teacher"], "teacher", pictures);
  return out + "</div></section>\n";
}

}  // namespace kani
