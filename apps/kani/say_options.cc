// say_options.cc - see say_options.h.
#include "apps/kani/say_options.h"

#include <algorithm>

#include "kani/base/error.h"

namespace kani::cli {
namespace {

constexpr Range kSpeeds = {0.25, 4};

void define_text(FlagSet& flags, SayOptions& options) {
  flags.heading("Text");
  flags.positional("TEXT", options.text, "text to speak, joined with spaces", /*required=*/false);
  flags.list({"-i,--input-file", "FILE",
              "speak the text of FILE, - is stdin; may be given several times", ""},
             options.input_files);
  flags.toggle({"--lines", "", "each line that is not empty is a text of its own", ""},
               options.lines);
  flags.toggle({"--json-input", "",
                "each line is an object with text, voice, output_file, speed, seed, language", ""},
               options.json_input);
  flags.choice({"--markdown", "auto|strip|keep",
                "drop Markdown's marks; auto does so for .md files", "auto"},
               options.markdown);
  flags.toggle({"--no-text-normalization", "", "speak numbers and symbols as they are written", ""},
               options.no_text_normalization);
  flags.unavailable({"--lexicon", "FILE", "respellings of words", ""}, ErrorCode::kInvalidArgument,
                    "it has no lexicon", "respell the words in the text");
  flags.unavailable({"--ssml", "", "the text is SSML", ""}, ErrorCode::kInvalidArgument,
                    "it reads no SSML", "plain text may hold pauses: [pause:0.5s]");
}

void define_speech(FlagSet& flags, SayOptions& options) {
  flags.heading("Speech");
  flags.string(
      {"--voice", "VOICE", "a voice's name or file, or a mix 'a(0.7)+b(0.3)'; random for a new one",
       "the model's default voice"},
      options.voice);
  flags.list({"--ref,--speaker-wav", "FILE",
              "speak with the voice of a recording; several are averaged", ""},
             options.recordings);
  define_voice_folders(flags, options.voices);
  flags.string({"--language,--lang", "TAG", "language of models that know several", ""},
               options.language);
  flags.number({"--speed", "X", "0.25 to 4, without change of pitch", "1"}, options.speed, kSpeeds);
  flags.number({"--length-scale", "X", "the same as --speed 1/X", ""}, options.length_scale,
               kSpeeds);
  flags.number({"--sentence-silence", "S", "seconds of silence between groups of sentences", "0.2"},
               options.sentence_silence_s, {0, 60});
  flags.integer(
      {"--batch", "N", "sentences of a text written at once, 1 to 64: the same sound, sooner",
       "8 into files, else 1"},
      options.batch, 1, 64);
  flags.number({"--volume", "X", "factor on the samples, 0 to 4", "1"}, options.volume, {0, 4});
  flags.toggle({"--no-normalize", "", "accepted for Piper's sake: the level is never adjusted", ""},
               options.no_normalize);
  flags.one_of({"--speed", "--length-scale"});
  flags.one_of({"--voice", "--ref"});
}

void define_output(FlagSet& flags, SayOptions& options) {
  flags.heading("Output");
  flags.string({"-o,-f,--output-file", "FILE",
                "sound file, .wav .mp3 .opus .ogg .flac .aac .pcm .raw; - is WAV on stdout", ""},
               options.output_file);
  flags.string(
      {"-d,--output-dir", "FOLDER", "one file per text, NNNN.wav; their names are printed", ""},
      options.output_dir);
  flags.toggle({"--output-raw", "", "raw 16-bit mono samples on stdout as they are made", ""},
               options.output_raw);
  flags.toggle({"--play", "", "loudspeaker; what happens by itself at a terminal", ""},
               options.play);
  flags.integer({"--sample-rate", "N", "of the files, in Hz", "the model's, 22050"},
                options.sample_rate_hz, 4000, 192000);
  flags.toggle({"--stream", "", "write files while the sound is made", ""}, options.stream);
  flags.toggle({"--no-tags", "", "do not say in the file that the speech is synthetic", ""},
               options.no_tags);
  flags.string({"--srt", "FILE", "write subtitles (SubRip)", ""}, options.srt);
  flags.string({"--vtt", "FILE", "write subtitles (WebVTT)", ""}, options.vtt);
  flags.string({"--timestamps", "FILE", "write the times of the sentences as JSON", ""},
               options.timestamps);
  flags.toggle({"--strict", "", "status 6 if the sound was cut off at the token limit", ""},
               options.strict);
  flags.one_of({"--output-file", "--output-dir", "--output-raw"});
}

}  // namespace

Markdown SayOptions::markdown_rule() const {
  if (markdown == "auto") return Markdown::kAuto;
  return markdown == "strip" ? Markdown::kStrip : Markdown::kKeep;
}

// Whoever listens wants the next sentence, whoever waits for a file wants the last.
int SayOptions::effective_batch() const {
  const bool file = !output_dir.empty() || (!output_file.empty() && output_file != "-");
  return batch.value_or(file && !play && !stream ? 8 : 1);
}

EngineOptions SayOptions::engine() const {
  EngineOptions engine = model.engine();
  engine.voice_folders.assign(voices.begin(), voices.end());
  return engine;
}

void define_say(FlagSet& flags, SayOptions& options) {
  define_text(flags, options);
  define_output(flags, options);
  define_speech(flags, options);
  define_sampling(flags, options.sampling);
  define_model(flags, options.model);
}

void check_say(const SayOptions& options) {
  require(options.text.empty() || options.input_files.empty(),
          "text is given as arguments and with --input-file, expected one");
  require(!options.json_input || options.text.empty(),
          "--json-input reads lines from stdin or --input-file, found text arguments");
  require(!options.json_input || !options.lines, "--json-input and --lines exclude each other");
  require(std::count(options.input_files.begin(), options.input_files.end(), "-") <= 1,
          "stdin can be read once, found -i - twice");
  require(!options.wants_timings() || (options.output_dir.empty() && !options.json_input),
          "--srt, --vtt and --timestamps tell about one sound, found ",
          options.json_input ? "--json-input" : "--output-dir");
}

}  // namespace kani::cli
