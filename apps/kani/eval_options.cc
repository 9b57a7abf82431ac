// eval_options.cc - see eval_options.h.
#include "apps/kani/eval_options.h"

#include <algorithm>
#include <filesystem>

#include "apps/kani/child_process.h"
#include "kani/base/error.h"

namespace kani::cli {
namespace {

constexpr Range kShares = {0, 1};

void define_material(FlagSet& flags, EvalOptions& options) {
  flags.heading("What is judged");
  flags.string({"--sentences", "FILE",
                "texts, one a line, or JSON lines with text, id, language, speaker, voice, "
                "reference, recordings, set",
                ""},
               options.sentences);
  flags.string(
      {"--out", "FOLDER", "sounds, eval.json and report.html; what is there is gone on with", ""},
      options.out);
  flags.integer({"--limit", "N", "the first N sentences", "all"}, options.limit, 1, 1'000'000);
  flags.string({"--sounds", "FOLDER", "judge the recordings ID.wav there instead of speaking", ""},
               options.sounds);
  flags.toggle({"--codec-only", "", "pass those of --sounds through the model's codec first", ""},
               options.codec_only);
  flags.string(
      {"--teacher", "FOLDER", "recordings ID.wav of the same sentences, judged beside", ""},
      options.teacher);
}

void define_recognizer(FlagSet& flags, EvalOptions& options) {
  flags.heading("Recognizer");
  flags.string({"--recognizer", "COMMAND",
                "prints what it hears in the file {wav}; run for each sound, without a shell", ""},
               options.recognizer);
  flags.string({"--recognizer-batch", "COMMAND",
                "reads paths, one a line, and prints a line of text for each", ""},
               options.recognizer_batch);
  flags.integer({"--jobs", "N", "recognizers at work at once", "1"}, options.jobs, 1, 256);
  flags.number({"--recognizer-timeout", "S", "seconds for one sound, its start included", "300"},
               options.timeout_s, {0, 86400, true});
  flags.one_of({"--recognizer", "--recognizer-batch"});
}

void define_limits(FlagSet& flags, EvalOptions& options) {
  flags.heading("Limits: status 6 if one is not held");
  flags.number({"--max-wer", "X", "word error rate of all sentences", ""}, options.max_wer,
               {0, 100});
  flags.number({"--max-wer-over-teacher", "X", "word error rate less the teacher's", ""},
               options.max_wer_over_teacher, {-100, 100});
  flags.number({"--max-faulty", "X", "share of utterances with a fault, 0 to 1", ""},
               options.max_faulty, kShares);
  flags.number(
      {"--min-own-speaker", "X", "share of utterances nearest to their own speaker, 0 to 1", ""},
      options.min_own_speaker, kShares);
}

void define_voice(FlagSet& flags, EvalOptions& options) {
  flags.heading("Speech");
  flags.string({"--voice", "VOICE",
                "a voice's name or file, or a mix 'a(0.7)+b(0.3)'; of sentences that name none",
                "that of the sentence's reference, else the model's default voice"},
               options.voice);
  flags.list({"--ref,--speaker-wav", "FILE",
              "speak with the voice of a recording; several are averaged", ""},
             options.recordings);
  define_voice_folders(flags, options.voices);
  flags.string({"--language,--lang", "TAG", "language of sentences that name none", ""},
               options.language);
  flags.toggle({"--no-text-normalization", "", "speak numbers and symbols as they are written", ""},
               options.no_text_normalization);
  flags.toggle({"--no-speaker", "", "do not compare voices with the speaker encoder", ""},
               options.no_speaker);
  flags.one_of({"--voice", "--ref"});
}

void check_folder(const char* flag, const std::string& folder) {
  std::error_code ignored;
  if (folder.empty() || std::filesystem::is_directory(folder, ignored)) return;
  throw Error(ErrorCode::kNotFound, flag, ": no such folder: ", printable(folder, 300));
}

void check_recognizer(const EvalOptions& options) {
  require(!options.recognizer || !options.recognizer->empty(), "--recognizer is empty");
  require(!options.recognizer_batch || !options.recognizer_batch->empty(),
          "--recognizer-batch is empty");
  if (!options.recognizer) return;
  const std::vector<std::string> command = options.recognizer_command();
  require(
      std::any_of(command.begin(), command.end(),
                  [](const std::string& word) { return word.find("{wav}") != std::string::npos; }),
      "--recognizer has no {wav}, which stands for the sound's path");
}

}  // namespace

std::vector<std::string> EvalOptions::recognizer_command() const {
  if (recognizer) return split_command(*recognizer, "--recognizer");
  if (recognizer_batch) return split_command(*recognizer_batch, "--recognizer-batch");
  return {};
}

EngineOptions EvalOptions::engine() const {
  EngineOptions engine = model.engine();
  engine.voice_folders.assign(voices.begin(), voices.end());
  return engine;
}

void define_eval(FlagSet& flags, EvalOptions& options) {
  define_material(flags, options);
  define_recognizer(flags, options);
  define_limits(flags, options);
  define_voice(flags, options);
  define_sampling(flags, options.sampling);
  define_model(flags, options.model);
}

void check_eval(const EvalOptions& options) {
  require(!options.sentences.empty(), "--sentences is missing, the file of what is judged");
  require(!options.out.empty(), "--out is missing, the folder for sounds and report");
  require(!options.codec_only || !options.sounds.empty(),
          "--codec-only passes recordings through the codec, found no --sounds");
  check_recognizer(options);
  const bool listens = options.recognizer || options.recognizer_batch;
  require(listens || (!options.max_wer && !options.max_wer_over_teacher),
          "a limit on the word error rate needs --recognizer or --recognizer-batch");
  require(!options.max_wer_over_teacher || !options.teacher.empty(),
          "--max-wer-over-teacher needs --teacher");
  check_folder("--sounds", options.sounds);
  check_folder("--teacher", options.teacher);
}

}  // namespace kani::cli
