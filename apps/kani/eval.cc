// eval.cc - `kani eval`: sentences spoken, listened to, measured, held against limits.
// docs/evaluation.md.
#include <filesystem>
#include <map>

#include "apps/kani/command.h"
#include "apps/kani/eval_hearing.h"
#include "apps/kani/eval_measures.h"
#include "apps/kani/eval_options.h"
#include "apps/kani/eval_sounds.h"
#include "apps/kani/eval_summary.h"
#include "apps/kani/json_text.h"
#include "apps/kani/program.h"
#include "apps/kani/signals.h"
#include "kani/audio/sound_reader.h"
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/eval/evaluation_page.h"
#include "kani/eval/spectrogram.h"
#include "kani/eval/spoken_words.h"

namespace kani::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kNotHeld = 6;
constexpr uint64_t kMostSentences = 64 << 20;  // bytes

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw_cannot_write(path, error.value());
}

void check_recordings(const EvalSentence& sentence) {
  std::error_code ignored;
  if (!sentence.reference.empty() && !fs::exists(sentence.reference, ignored))
    throw Error(ErrorCode::kNotFound, "no reference of sentence ", sentence.id, ": ",
                sentence.reference);
  for (const fs::path& path : sentence.recordings) {
    if (!fs::exists(path, ignored))
      throw Error(ErrorCode::kNotFound, "no such recording of sentence ", sentence.id, ": ", path);
  }
}

std::vector<EvalItem> read_items(const EvalOptions& options) {
  const bool listens = !options.recognizer_command().empty();
  const fs::path file = options.sentences;
  std::vector<EvalSentence> sentences =
      parse_sentences(read_file(file, kMostSentences), file.string(), file.parent_path());
  if (options.limit)
    sentences.resize(std::min(sentences.size(), static_cast<size_t>(*options.limit)));
  std::vector<EvalItem> items;
  for (EvalSentence& sentence : sentences) {
    if (sentence.language.empty()) sentence.language = options.language;
    check_recordings(sentence);
    if (listens && spoken_words(sentence.text, sentence.language).empty())
      throw Error(ErrorCode::kBadInput, file, ": sentence ", sentence.id, " has no word in it")
          .with_hint("a word error rate is errors for each word: take the sentence out");
    // What is missing is told before the first word is spoken.
    if (!options.sounds.empty()) recording_of(options.sounds, sentence);
    if (!options.teacher.empty()) recording_of(options.teacher, sentence);
    items.push_back({std::move(sentence), {}, {}, {}});
  }
  return items;
}

/// PNG files of the worst utterances' sounds, by their names in the report.
std::map<std::string, std::string> draw(const Json& document, const fs::path& out) {
  std::map<std::string, std::string> pictures;
  size_t drawn = 0;
  for (const size_t index : worst_first(document)) {
    if (++drawn > kMostPictured) break;
    const Json& utterance = document.at("utterances").at(index);
    for (const char* side : {"model", "teacher"}) {
      if (!utterance.contains(side)) continue;
      const auto file = utterance[side].at("file").get<std::string>();
      const Sound sound = read_sound(out / file);
      pictures[file] = spectrogram_png(sound.samples, sound.rate_hz);
    }
  }
  return pictures;
}

class EvalRun {
 public:
  EvalRun(const EvalOptions& options, const CommonOptions& common, Context& context)
      : options_(options),
        common_(common),
        context_(context),
        out_(options.out),
        items_(read_items(options)) {
    make_folder(out_ / "sounds");
    if (!options.teacher.empty()) make_folder(out_ / "teacher");
    journal_ = std::make_unique<EvalJournal>(out_ / "progress.jsonl");
    sounds_ = std::make_unique<EvalSounds>(options, *journal_);
  }

  int run() {
    const PoliteCancel cancel;
    Hearing hearing(hearing_options(), *journal_);
    EvalMeasures measures(options_, hearing, out_);
    try {
      make_sounds(hearing);
      context_.console.bar("listening");
      hearing.finish();
    } catch (const Error& error) {
      context_.console.clear_bar();
      if (error.code() == ErrorCode::kCancelled) report_partly(measures);
      throw;
    }
    context_.console.bar("measuring");
    const Json document = report(measures, /*complete=*/true);
    context_.console.clear_bar();
    print(document);
    return held(document);
  }

 private:
  HearingOptions hearing_options() const {
    HearingOptions hearing;
    hearing.command = options_.recognizer_command();
    hearing.batch = options_.recognizer_batch.has_value();
    hearing.jobs = options_.jobs.value_or(1);
    hearing.timeout_s = options_.timeout_s.value_or(hearing.timeout_s);
    hearing.log = out_ / "recognizer.log";
    return hearing;
  }

  void make_sounds(Hearing& hearing) {
    for (size_t i = 0; i < items_.size(); ++i) {
      if (cancel_token().cancelled()) throw Error(ErrorCode::kCancelled, "interrupted");
      EvalItem& item = items_[i];
      context_.console.bar(concat("sentence ", i + 1, "/", items_.size()));
      const fs::path name = item.sentence.id + ".wav";
      if (!options_.teacher.empty()) {
        item.teacher = out_ / "teacher" / name;
        copy_teacher(item);
        hearing.submit(item.teacher);
      }
      const fs::path sound = out_ / "sounds" / name;
      const EvalSounds::Made made = sounds_->make(item.sentence, sound);
      item.times = made.times;
      item.sound = sound;
      before_ += made.before ? 1 : 0;
      hearing.submit(sound);
    }
  }

  /// Beside the report, so that it can be moved with its sounds.
  void copy_teacher(const EvalItem& item) const {
    const fs::path from = recording_of(options_.teacher, item.sentence);
    std::error_code error;
    if (fs::equivalent(from, item.teacher, error)) return;
    fs::copy_file(from, item.teacher, fs::copy_options::overwrite_existing, error);
    if (error) throw_cannot_write(item.teacher, error.value());
  }

  Json report(EvalMeasures& measures, bool complete) {
    Evaluation evaluation;
    evaluation.complete = complete;
    evaluation.asked = items_.size();
    evaluation.seed = options_.seed();
    evaluation.settings = sounds_->settings();
    evaluation.settings["sentences"] = options_.sentences;
    evaluation.settings["recognizer"] = options_.recognizer_command();
    measures.judge(items_, evaluation);
    Json document = evaluation_json(evaluation);
    document["limits"] = eval_limits(options_, document);
    write_file(out_ / "eval.json", json_document(document) + "\n");
    write_file(out_ / "report.html", evaluation_page(document, draw(document, out_)));
    return document;
  }

  /// After a signal everything must go quickly: what was heard is measured, but by no encoder.
  void report_partly(EvalMeasures& measures) {
    measures.without_encoder();
    report(measures, /*complete=*/false);
    if (!common_.quiet)
      context_.console.line(
          "kani: the report tells of what was finished; the same command goes on");
  }

  void print(const Json& document) {
    if (common_.json_lines) {
      for (const Json& group : document.at("groups")) context_.out.line(json_line(group));
      return;
    }
    if (common_.json) {
      Json summary = document;
      summary.erase("utterances");
      context_.out.line(json_document(summary));
      return;
    }
    context_.out.write(eval_table(document));
    if (common_.quiet) return;
    if (before_ > 0)
      context_.console.line(concat("kani: ", before_, " of ", items_.size(),
                                   " sentences were spoken by an earlier run"));
    context_.console.line(concat("kani: report in ", (out_ / "report.html").string()));
  }

  int held(const Json& document) {
    std::string missed;
    for (const Json& limit : document.at("limits")) {
      if (limit.at("held").get<bool>()) continue;
      missed += concat(missed.empty() ? "" : ", ", limit_words(limit));
    }
    if (missed.empty()) return 0;
    context_.errors.print(
        "limit", concat("limits are not held: ", missed),
        concat("the worst utterances come first in ", (out_ / "report.html").string()));
    return kNotHeld;
  }

  const EvalOptions& options_;
  const CommonOptions& common_;
  Context& context_;
  fs::path out_;
  std::vector<EvalItem> items_;
  std::unique_ptr<EvalJournal> journal_;
  std::unique_ptr<EvalSounds> sounds_;
  size_t before_ = 0;
};

class EvalCommand : public Command {
 public:
  void define(FlagSet& flags) override { define_eval(flags, options_); }

  int run(Context& context) override {
    if (options_.model.list_devices) {
      print_devices(context.out, common);
      return 0;
    }
    check_eval(options_);
    return EvalRun(options_, common, context).run();
  }

 private:
  EvalOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_eval() { return std::make_unique<EvalCommand>(); }

}  // namespace kani::cli
