// say.cc - `kani say`: texts in, sound out.  interfaces.md 2.2.
#include <unistd.h>

#include "apps/kani/command.h"
#include "apps/kani/json_text.h"
#include "apps/kani/program.h"
#include "apps/kani/progress.h"
#include "apps/kani/say_options.h"
#include "apps/kani/signals.h"
#include "apps/kani/sound_targets.h"
#include "apps/kani/subtitles.h"
#include "apps/kani/utterances.h"
#include "apps/kani/voice_lookup.h"
#include "apps/kani/voice_report.h"
#include "kani/base/file.h"

namespace kani::cli {
namespace {

constexpr int kIncomplete = 6;

Voice voice_of_recordings(const Engine& engine, const SayOptions& options) {
  VoiceEncoderOptions encoder;
  encoder.encoder = options.model.speaker_encoder;
  encoder.model = options.model.model;
  encoder.voice_length = static_cast<size_t>(engine.info().speaker_emb_dim);
  encoder.threads = thread_count(options.model.threads);
  encoder.device = options.model.device;
  encoder.record_origin = false;  // this voice is not kept
  ClonedVoice cloned =
      VoiceEncoder(encoder).clone({options.recordings.begin(), options.recordings.end()});
  warn_of_recordings(cloned);
  return std::move(cloned.voice);
}

/// A voice that does not exist, and recordings that hold none, are told before any text is read or
/// any file opened.
VoiceLookup checked_voices(const Engine& engine, const SayOptions& options) {
  VoiceLookup voices(engine);
  SpeechRequest probe;
  if (options.recordings.empty()) {
    voices.set(probe, options.voice);
  } else {
    voices.set_default(voice_of_recordings(engine, options));
  }
  return voices;
}

/// The state of one run: everything that outlives a single text.
class SayRun {
 public:
  SayRun(const SayOptions& options, const CommonOptions& common, const OutputPlan& plan,
         Context& context)
      : options_(options),
        common_(common),
        context_(context),
        engine_(options.engine()),
        voices_(checked_voices(engine_, options)),
        targets_(options, plan, context, engine_.sample_rate_hz()),
        bar_(context.console) {}

  void speak(const Utterance& utterance) {
    const SpeechRequest request = make_request(utterance);
    targets_.begin(utterance);
    const size_t shown_number =
        options_.lines || options_.json_input || texts_ > 0 ? texts_ + 1 : 0;
    const auto sink = [this](std::span<const float> samples) {
      targets_.write(samples);
      return true;
    };
    const auto progress = [&](const SpeechProgress& state) {
      if (!common_.quiet) bar_.update(state, shown_number);
    };
    SpeechResult result;
    try {
      result = engine_.speak(request, sink, progress, &cancel_token());
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kBadInput && error.code() != ErrorCode::kInvalidArgument)
        throw;
      throw Error(error.code(), error.what(), " (", utterance.source, ")").with_hint(error.hint());
    }
    context_.console.clear_bar();
    targets_.end();
    report(result);
    remember(result);
    ++texts_;
  }

  void finish() {
    targets_.finish();
    if (options_.wants_timings()) write_timings();
  }

  bool truncated() const { return truncated_; }

 private:
  SpeechRequest make_request(const Utterance& utterance) {
    SpeechRequest request;
    request.text = utterance.text;
    request.language = utterance.language.value_or(options_.language);
    voices_.set(request, utterance.voice.value_or(options_.voice));
    request.sampling = options_.sampling;
    if (utterance.seed) request.sampling.seed = utterance.seed;
    request.speed = utterance.speed.value_or(options_.effective_speed());
    request.volume = options_.volume.value_or(request.volume);
    request.sentence_silence_s = options_.sentence_silence_s.value_or(request.sentence_silence_s);
    request.batch = options_.effective_batch();
    request.normalize_text = !options_.no_text_normalization;
    request.strip_markdown = utterance.strip_markdown;
    return request;
  }

  void report(const SpeechResult& result) {
    if (common_.json) {
      const std::string line = json_line(describe(result));
      // stdout may carry sound.
      targets_.uses_stdout() ? context_.console.line(line) : context_.out.line(line);
    } else {
      if (!common_.quiet) context_.console.line(summary_line(result));
      if (!targets_.own_file().empty()) context_.out.line(targets_.own_file().string());
    }
    for (size_t i = 0; i < result.segments.size(); ++i) {
      if (!result.segments[i].truncated) continue;
      truncated_ = true;
      log_warning("say", "the sound was cut off at the token limit in sentence ", i + 1, " of ",
                  result.segments.size());
    }
  }

  Json describe(const SpeechResult& result) const {
    Json json = {{"sound_s", result.sound_s},
                 {"elapsed_s", result.elapsed_s},
                 {"first_sound_s", result.first_sound_s},
                 {"seed", result.seed},
                 {"tokens", result.tokens},
                 {"sentences", result.segments.size()},
                 {"truncated", result.truncated()}};
    if (!targets_.file().empty()) json["output_file"] = targets_.file().string();
    return json;
  }

  void remember(const SpeechResult& result) {
    if (!options_.wants_timings()) return;
    for (SpeechSegment segment : result.segments) {
      segment.start_s += targets_.offset_s();
      segment.end_s += targets_.offset_s();
      timings_.push_back({std::move(segment), texts_});
    }
  }

  void write_timings() {
    if (!options_.srt.empty()) write_file(options_.srt, to_srt(timings_));
    if (!options_.vtt.empty()) write_file(options_.vtt, to_vtt(timings_));
    if (!options_.timestamps.empty()) {
      write_file(options_.timestamps,
                 to_timestamps_json({engine_.sample_rate_hz(), targets_.shared_s()}, timings_));
    }
  }

  const SayOptions& options_;
  const CommonOptions& common_;
  Context& context_;
  Engine engine_;
  VoiceLookup voices_;
  // The load above may be cut off at any moment; from here on there are files to tidy away.
  PoliteCancel cancel_;
  SoundTargets targets_;
  ProgressBar bar_;
  std::vector<TimedSegment> timings_;
  size_t texts_ = 0;
  bool truncated_ = false;
};

class SayCommand : public Command {
 public:
  void define(FlagSet& flags) override { define_say(flags, options_); }

  int run(Context& context) override {
    if (options_.model.list_devices) {
      print_devices(context.out, common);
      return 0;
    }
    check_say(options_);
    const OutputPlan plan = plan_output(options_, context);
    const bool reads_stdin = options_.text.empty() && options_.input_files.empty();
    if (reads_stdin && isatty(STDIN_FILENO) == 1 && !common.quiet) {
      context.console.line("kani: reading the text from the terminal, end it with Ctrl-D");
    }
    const std::unique_ptr<UtteranceSource> texts = open_utterances(options_);
    SayRun say(options_, common, plan, context);
    while (const std::optional<Utterance> utterance = texts->next()) say.speak(*utterance);
    say.finish();
    if (!options_.strict || !say.truncated()) return 0;
    context.errors.print("incomplete",
                         "the sound is incomplete, it was cut off at the token limit (--strict)",
                         "raise --max-new-tokens, or shorten the sentences");
    return kIncomplete;
  }

 private:
  SayOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_say() { return std::make_unique<SayCommand>(); }

}  // namespace kani::cli
