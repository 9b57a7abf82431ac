// voice_flags.cc - see voice_flags.h.
#include "apps/kani/voice_flags.h"

#include <chrono>
#include <ctime>

#include "apps/kani/common_flags.h"
#include "kani/base/utf8.h"

namespace kani::cli {
namespace {

constexpr size_t kMaxText = 4096;  // bytes

std::string today() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[20];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &parts)};
}

void check_text(const char* flag, const std::string& text) {
  if (text.empty()) return;
  require(text.find_first_not_of(" \t\r\n") != std::string::npos, flag, " is blank");
  require(text.size() <= kMaxText, flag, " has ", text.size(), " bytes, at most ", kMaxText);
  require(!find_invalid_utf8(text), flag, " is not valid UTF-8");
}

}  // namespace

VoiceLibrary VoiceFlags::library() const {
  return VoiceLibrary({model, {voices.begin(), voices.end()}, 0});
}

void define_voice_flags(FlagSet& flags, VoiceFlags& options) {
  flags.heading("Where voices are");
  flags.string({"-m,--model", "PATH", "the model whose voices belong to it",
                "the model that comes with the program"},
               options.model);
  flags.list(
      {"--voices", "FOLDER",
       "look for voices in FOLDER first, and keep new ones there; may be given several times",
       "$XDG_DATA_HOME/kani/voices"},
      options.voices);
}

void define_voice_texts(FlagSet& flags, VoiceTexts& texts, bool consent) {
  flags.heading("The voice");
  if (consent) {
    flags.string(
        {"--consent", "TEXT", "that the speaker agrees, e.g. \"my own voice\"; kept with it", ""},
        texts.consent);
    flags.choice({"--consent-policy", "off|note|require", "what happens without --consent", "note"},
                 texts.consent_policy);
  }
  flags.string({"--language,--lang", "TAG", "what it speaks", ""}, texts.language);
  flags.string({"--description", "TEXT", "anything about it", ""}, texts.description);
  flags.toggle({"--force", "", "replace a voice of the same name", ""}, texts.force);
}

void VoiceTexts::check() const {
  check_text("--consent", consent);
  check_text("--language", language);
  check_text("--description", description);
  if (consent_policy != "require" || !consent.empty()) return;
  throw Error(ErrorCode::kInvalidArgument, "--consent is missing, and --consent-policy requires it")
      .with_hint("say how the speaker agreed: \"my own voice\", a contract, a message");
}

void VoiceTexts::describe(Voice& voice, const std::string& display_name) const {
  voice.details["name"] = display_name;
  if (!language.empty()) voice.language = language;
  if (!description.empty()) voice.details["description"] = description;
  if (consent.empty()) return;
  voice.details["consent"] = consent;
  voice.details["consent_date"] = today();
}

}  // namespace kani::cli
