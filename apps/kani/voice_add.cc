// voice_add.cc - `kani voice add`: recordings in, a voice of the user's out.
// interfaces.md 2.4, 3.10.
#include <optional>

#include "apps/kani/command.h"
#include "apps/kani/json_text.h"
#include "apps/kani/signals.h"
#include "apps/kani/voice_flags.h"
#include "apps/kani/voice_report.h"
#include "kani/kani.h"

namespace kani::cli {
namespace {

class VoiceAdd : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.positional("FILE", words_, "the voice's name, then recordings of one speaker",
                     /*required=*/false);
    define_voice_texts(flags, texts_, /*consent=*/true);
    flags.toggle({"--keep-audio", "", "keep copies of the recordings beside the voice", ""},
                 keep_audio_);
    flags.heading("Listening");
    define_speaker_encoder(flags, encoder_.speaker_encoder);
    flags.integer(
        {"-t,--threads", "N", "compute threads", "physical cores of one socket, at most 16"},
        encoder_.threads, 1, 1024);
    flags.string({"--device", "NAME", "cpu or auto (-dev)", "auto"}, encoder_.device);
    flags.integer({"--max-seconds", "N", "use this much of each recording", "30"}, max_seconds_, 1,
                  600);
    define_voice_flags(flags, places_);
  }

  int run(Context& context) override {
    require(!words_.empty(), "argument NAME is missing, what the voice is to be called");
    require(words_.size() >= 2, "no recording is given for voice ", printable(words_[0]));
    texts_.check();
    const std::string id = voice_id_of(words_[0]);
    VoiceLibrary library = places_.library();
    library.check_new(id, texts_.force);
    const PoliteCancel cancel;
    ClonedVoice cloned = clone();
    warn_of_recordings(cloned);
    cloned.voice.name = id;
    texts_.describe(cloned.voice, words_[0]);
    VoiceLibrary::AddOptions options;
    options.replace = texts_.force;
    if (keep_audio_) options.recordings = recordings();
    cloned.voice.path = library.add(cloned.voice, options);
    print(context, cloned);
    if (texts_.consent.empty() && texts_.consent_policy == "note" && !common.quiet) {
      context.console.line(
          Tone::kPlain, "note:", "the speaker's consent is not recorded; --consent TEXT does that");
    }
    return 0;
  }

 private:
  std::vector<std::filesystem::path> recordings() const {
    return {words_.begin() + 1, words_.end()};
  }

  ClonedVoice clone() const {
    VoiceEncoderOptions options;
    options.encoder = encoder_.speaker_encoder;
    options.model = places_.model;
    options.threads = thread_count(encoder_.threads);
    options.device = encoder_.device;
    options.max_seconds = max_seconds_.value_or(30);
    return VoiceEncoder(options).clone(recordings(), &cancel_token());
  }

  void print(Context& context, const ClonedVoice& cloned) const {
    if (common.json) {
      Json json = to_json(cloned.voice);
      json["recordings"] = Json::array();
      for (const RecordingReport& report : cloned.recordings)
        json["recordings"].push_back(to_json(report));
      json["warnings"] = cloned.warnings;
      if (cloned.lowest_cosine) json["lowest_cosine"] = *cloned.lowest_cosine;
      context.out.line(common.json_lines ? json_line(json) : json_document(json));
      return;
    }
    std::string text;
    for (const RecordingReport& report : cloned.recordings) text += recording_line(report) + "\n";
    text += concat("voice ", cloned.voice.name, ": ", printable(cloned.voice.path.string(), 1000),
                   "\n");
    context.out.write(text);
  }

  std::vector<std::string> words_;
  VoiceTexts texts_;
  bool keep_audio_ = false;
  ModelOptions encoder_;  // speaker encoder, threads and device of it
  std::optional<int> max_seconds_;
  VoiceFlags places_;
};

}  // namespace

std::unique_ptr<Command> make_voice_add() { return std::make_unique<VoiceAdd>(); }

}  // namespace kani::cli
