// voice_change.cc - `kani voice rm` and `kani voice mix`.
#include "apps/kani/command.h"
#include "apps/kani/json_text.h"
#include "apps/kani/voice_flags.h"
#include "apps/kani/voice_report.h"

namespace kani::cli {
namespace {

class VoiceRemove : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.positional("NAME", names_, "voices of the user", /*required=*/true);
    define_voice_flags(flags, places_);
  }

  int run(Context& context) override {
    VoiceLibrary library = places_.library();
    Json voices = Json::array();
    for (const std::string& name : names_) {
      Json removed = Json::array();
      for (const std::filesystem::path& file : library.remove(name)) {
        removed.push_back(file.string());
        if (!common.json) context.out.line("removed " + printable(file.string(), 1000));
      }
      voices.push_back({{"id", name}, {"removed", std::move(removed)}});
    }
    if (common.json) context.out.write(json_items("voices", voices, common.json_lines));
    return 0;
  }

 private:
  std::vector<std::string> names_;
  VoiceFlags places_;
};

class VoiceMix : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.positional("VOICE", words_, "the new voice's name, then the mix: 'a(0.7)+b(0.3)'",
                     /*required=*/false);
    define_voice_texts(flags, texts_, /*consent=*/false);
    define_voice_flags(flags, places_);
  }

  int run(Context& context) override {
    require(words_.size() == 2, "kani voice mix takes a name and a mix, found ", words_.size(),
            words_.size() == 1 ? " argument" : " arguments");
    texts_.check();
    const std::string id = voice_id_of(words_[0]);
    VoiceLibrary library = places_.library();
    library.check_new(id, texts_.force);
    Voice voice = library.load(words_[1]);
    // What is known of a part does not hold for the whole.
    voice.details = {{"mix", words_[1]}};
    voice.name = id;
    texts_.describe(voice, words_[0]);
    VoiceLibrary::AddOptions options;
    options.replace = texts_.force;
    voice.path = library.add(voice, options);
    if (common.json) {
      context.out.line(common.json_lines ? json_line(to_json(voice))
                                         : json_document(to_json(voice)));
    } else {
      context.out.line(concat("voice ", id, ": ", printable(voice.path.string(), 1000)));
    }
    return 0;
  }

 private:
  std::vector<std::string> words_;
  VoiceTexts texts_;
  VoiceFlags places_;
};

}  // namespace

std::unique_ptr<Command> make_voice_rm() { return std::make_unique<VoiceRemove>(); }
std::unique_ptr<Command> make_voice_mix() { return std::make_unique<VoiceMix>(); }

}  // namespace kani::cli
