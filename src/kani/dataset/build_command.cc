// build_command.cc - see build_command.h.
#include "kani/dataset/build_command.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/dataset/build_progress.h"
#include "kani/dataset/build_set.h"
#include "kani/dataset/command_words.h"
#include "kani/dataset/part.h"
#include "kani/dataset/report_page.h"
#include "kani/dataset/set_files.h"
#include "kani/dataset/set_report.h"
#include "kani/spec/lfm2.h"

namespace kani {
namespace {

constexpr std::string_view kBuildHelp =
    R"(build MANIFEST --model FOLDER --out FOLDER [options]
  MANIFEST               a folder of recordings with NAME.txt beside, or a file .jsonl, .csv, .tsv
                         with audio, text and perhaps language, speaker, source, licence, start,
                         end; a folder of VCTK, Common Voice, LJSpeech, LibriTTS; a .parquet with
                         audio (bytes) and text in its rows, a folder of these or of save_to_disk;
                         or a .tar of WebDataset (KEY.flac beside KEY.txt or KEY.json), a folder of
                         these
  --model FOLDER         the model to be trained: tokenizer, codec with an encoder, speaker encoder
  --codec FILE           another codec (.nemo)
  --speaker-encoder FOLDER|none
                         another speaker encoder; none: clips without voices
  --out FOLDER           where the set is written, and work/ with what is finished; the same call
                         after an interruption goes on, and after a change of recordings or
                         manifest makes what changed
  --workers N            default: one for each core
  --part I/N             do every N-th unit of work, on several machines with one --out; the last
                         to end puts the set together (default: as torchrun, mpirun, srun say)
  --restart              throw finished work away

What the manifest does not say
  --language TAG, --speaker NAME, --source NAME, --licence TEXT
  --speaker-folders      the first folder of a recording below MANIFEST is its speaker; with a file
                         as MANIFEST the one that it is in

Long recordings
  --segment              a recording whose line or .json has segments, a list of {start, end, text}
                         in seconds, is cut where it is silent between them, into pieces
  --segment-min X, --segment-max X      seconds of a piece (default: 3 and 30)
  --segment-silence X    where it is cut it is silent so long (default: 0.3)

Clips
  --language-tags        the language stands in front of the text ("en: …")
  --expand               numbers and abbreviations are written out
  --loudness LUFS|none   (default: -23)
  --min-seconds X, --max-seconds X      (default: 0.3 and 40)
  --trim-below DB        silence at the ends is what lies so far below the loudest (default: 50)
  --trim-pad S           of it this stays (default: 0.1)
  --max-clipped X, --max-silent X       shares of a clip (default: 0.01 and 0.5)
  --min-speech X         share with a voice in it (default: 0.05)
  --min-noise-distance DB               noise must lie so far below the voice (default: any)
  --min-rate X, --max-rate X            characters a second (default: 4 and 35)
  --min-script X         share of the letters of the language's script (default: 0.5)

The set
  --valid SHARE          of the speakers, kept from training (default: 0.01)
  --split-by speaker|recording          (default: speaker)
  --test FILE            audio as the manifest names it, or speaker:NAME, a line each: these are
                         never trained on
  --speaker-vector mean|self|other      over the speaker's clips (default), of the clip, of another
  --max-share X          of one speaker or source among 20 or more (default: 0.05)
  --allow NAME           a speaker or source that may have more; may be repeated
  --allow-errors SOURCE  a source that is kept although over 2 % of it is bad; may be repeated
  --format kshard|parquet|both          (default: kshard)
  --shard-clips N        clips of a shard at most (default: 20000)
  --samples N            clips decoded for listening (default: 6)
  --quiet                no progress
)";

constexpr std::string_view kReportHelp =
    "report FOLDER\n  writes report.json and report.html of a finished set again\n";

bool asks_for_help(std::span<const std::string> args) {
  return std::find(args.begin(), args.end(), "--help") != args.end();
}

ModelNames model_names(CommandWords& words) {
  ModelNames names{.model = words.need("--model")};
  names.codec = words.take("--codec").value_or("");
  const std::string encoder = words.take("--speaker-encoder").value_or("");
  names.voices = encoder != "none";
  if (names.voices) names.speaker_encoder = encoder;
  return names;
}

ManifestDefaults manifest_defaults(CommandWords& words) {
  ManifestDefaults defaults;
  defaults.language = words.take("--language").value_or("");
  require(defaults.language.empty() || is_language_tag(defaults.language), "--language is \"",
          printable(defaults.language), "\", expected ", kLanguageTagRule);
  defaults.speaker = words.take("--speaker").value_or("");
  defaults.source = words.take("--source").value_or("");
  defaults.licence = words.take("--licence").value_or("");
  defaults.speaker_folders = words.take("--speaker-folders").has_value();
  return defaults;
}

ClipOptions clip_options(CommandWords& words) {
  ClipOptions options;
  options.language_tags = words.take("--language-tags").has_value();
  options.text.expand = words.take("--expand").has_value();
  SoundOptions& sound = options.sound;
  if (const auto loudness = words.take("--loudness"); loudness && *loudness == "none") {
    sound.loudness = LoudnessMode::kAsIs;
  } else if (loudness) {
    const std::string flag[] = {"--loudness", *loudness};
    sound.target.loudness_lufs = *CommandWords(flag, {}).take_real("--loudness", -60, -5);
  }
  ClipLimits& limits = sound.limits;
  limits.min_seconds = words.take_real("--min-seconds", 0.1, 600).value_or(limits.min_seconds);
  limits.max_seconds = words.take_real("--max-seconds", 0.1, 600).value_or(limits.max_seconds);
  require(limits.min_seconds < limits.max_seconds, "--min-seconds ", limits.min_seconds,
          " is not below --max-seconds ", limits.max_seconds);
  const auto take = [&words](const char* flag, double low, double high, double& value) {
    value = words.take_real(flag, low, high).value_or(value);
  };
  take("--trim-below", 10, 120, sound.trim.below_loudest_db);
  take("--trim-pad", 0, 0.3, sound.trim.pad_s);
  take("--max-clipped", 0, 1, limits.max_clipped_share);
  take("--max-silent", 0, 1, limits.max_silent_share);
  take("--min-speech", 0, 1, limits.min_speech_share);
  take("--min-noise-distance", 0, 100, limits.min_noise_distance_db);
  take("--min-rate", 0, 1000, limits.min_characters_per_second);
  take("--max-rate", 0, 1000, limits.max_characters_per_second);
  require(limits.min_characters_per_second < limits.max_characters_per_second, "--min-rate ",
          limits.min_characters_per_second, " is not below --max-rate ",
          limits.max_characters_per_second);
  take("--min-script", 0, 1, limits.min_script_share);
  return options;
}

CutOptions cut_options(CommandWords& words, const ClipLimits& limits) {
  CutOptions options;
  options.on = words.take("--segment").has_value();
  PieceOptions& pieces = options.pieces;
  const auto take = [&](const char* flag, double low, double high, double& value) {
    const auto given = words.take_real(flag, low, high);
    require(!given || options.on, flag, " says nothing without --segment");
    value = given.value_or(value);
  };
  take("--segment-min", 0.3, 600, pieces.min_seconds);
  take("--segment-max", 0.3, 600, pieces.max_seconds);
  take("--segment-silence", 0.1, 10, pieces.silence_s);
  require(pieces.min_seconds < pieces.max_seconds, "--segment-min ", pieces.min_seconds,
          " is not below --segment-max ", pieces.max_seconds);
  require(!options.on || pieces.max_seconds <= limits.max_seconds, "--segment-max ",
          pieces.max_seconds, " is above --max-seconds ", limits.max_seconds);
  return options;
}

SpeakerVector speaker_vector(CommandWords& words) {
  constexpr std::string_view kChoices[] = {"mean", "self", "other"};
  const std::string choice = words.take_choice("--speaker-vector", kChoices);
  if (choice == "mean") return SpeakerVector::kMean;
  return choice == "self" ? SpeakerVector::kSelf : SpeakerVector::kOther;
}

AssemblyOptions assembly_options(CommandWords& words) {
  AssemblyOptions options;
  SelectionOptions& selection = options.selection;
  SplitOptions& split = selection.split;
  split.valid_share = words.take_real("--valid", 0, 0.9).value_or(split.valid_share);
  constexpr std::string_view kSplitBy[] = {"speaker", "recording"};
  split.by_recording = words.take_choice("--split-by", kSplitBy) == "recording";
  if (const auto list = words.take("--test")) split.test = TestList(*list);
  options.voices = speaker_vector(words);
  selection.max_share = words.take_real("--max-share", 0.001, 1).value_or(selection.max_share);
  while (const auto name = words.take("--allow")) selection.allowed_shares.insert(*name);
  while (const auto name = words.take("--allow-errors")) selection.allowed_errors.insert(*name);
  constexpr std::string_view kFormats[] = {"kshard", "parquet", "both"};
  const std::string format = words.take_choice("--format", kFormats);
  options.kshard = format != "parquet";
  options.parquet = format != "kshard";
  options.shard_clips =
      static_cast<size_t>(words.take_number("--shard-clips", 1, 1'000'000).value_or(20'000));
  options.samples = static_cast<size_t>(words.take_number("--samples", 0, 100).value_or(6));
  return options;
}

int cores() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void print_summary(const std::filesystem::path& folder, std::ostream& out) {
  const Json report = read_report(folder);
  for (const Split split : kSplits) {
    const Json& one = report.at("splits").at(std::string(split_name(split)));
    if (one.at("clips") == 0) continue;
    out << split_name(split) << ": " << one.at("clips") << " clips, "
        << length_text(one.at("hours").get<double>()) << "\n";
  }
  const Json& rejected = report.at("rejected");
  out << "rejected: " << rejected.at("records") << " of " << report.at("records") << " records";
  std::string separator = " (";
  for (const Json& reason : rejected.at("reasons")) {
    out << separator << reason.at("reason").get<std::string>() << " " << reason.at("records");
    separator = ", ";
  }
  out << (separator == ", " ? ")\n" : "\n");
  out << "report: " << (folder / "report.html").string() << "\n";
}

/// What a user would not see in the numbers.
void print_concerns(const BuildOptions& options) {
  const Json report = read_report(options.out);
  const auto say = [](const std::string& text) {
    std::fprintf(stderr, "kani-data: warning: %s\n", text.c_str());
  };
  for (const Json& reason : report.at("rejected").at("reasons")) {
    const std::string name = reason.at("reason").get<std::string>();
    const std::string count = dump_json(reason.at("records"));
    if (name == reject_name(RejectReason::kSourceStopped))
      say(count +
          " good clips are left out because too much of their source is bad; "
          "--allow-errors SOURCE keeps them");
    if (name == reject_name(RejectReason::kSpeakerShare) ||
        name == reject_name(RejectReason::kSourceShare))
      say(count + " clips are left out as " + name + "; --allow NAME or --max-share keeps them");
  }
  if (options.assembly.selection.split.valid_share > 0 &&
      report.at("splits").at("valid").at("clips") == 0)
    say(options.assembly.selection.split.by_recording
            ? "no clip is kept for validation; a larger --valid keeps some"
            : "no clip is kept for validation; with few speakers --split-by recording keeps some");
}

}  // namespace

void run_build(std::span<const std::string> args, const CancelToken& cancel, std::ostream& out) {
  if (asks_for_help(args)) {
    out << kBuildHelp;
    return;
  }
  constexpr std::string_view kSwitches[] = {"--restart", "--speaker-folders", "--language-tags",
                                            "--expand",  "--segment",         "--quiet"};
  CommandWords words(args, kSwitches);
  BuildOptions options;
  options.model = model_names(words);
  options.out = words.need("--out");
  options.workers = words.take_number("--workers", 1, 1024).value_or(cores());
  const auto part = words.take("--part");
  options.part = part ? parse_part(*part) : part_from_environment(std::getenv);
  options.restart = words.take("--restart").has_value();
  require(!options.restart || options.part.count == 1,
          "--restart and --part exclude each other: other machines may be at work");
  options.defaults = manifest_defaults(words);
  options.clips = clip_options(words);
  options.cut = cut_options(words, options.clips.sound.limits);
  options.assembly = assembly_options(words);
  const bool quiet = words.take("--quiet").has_value();
  words.expect_nothing_else(1);
  options.manifest = words.rest()[0];

  BuildProgress progress(stderr, isatty(STDERR_FILENO) != 0);
  const BuildResult result = build_set(options, &cancel, [&](const WorkCounts& counts) {
    if (!quiet) progress.tell(counts);
  });
  progress.clear();
  const WorkCounts& work = result.work;
  switch (result.end) {
    case BuildEnd::kCancelled:
      throw Error(ErrorCode::kCancelled, "interrupted; ", work.before + work.done, " of ",
                  work.records, " records are done")
          .with_hint("the same command goes on from there");
    case BuildEnd::kPartDone:
      out << "part " << options.part.index + 1 << " of " << options.part.count << " is done, "
          << work.records << " records; the part that ends last puts the set together\n";
      return;
    case BuildEnd::kWasThere:
      out << "the set is there already\n";
      break;
    case BuildEnd::kFinished:
      break;
  }
  print_summary(options.out, out);
  print_concerns(options);
}

void run_report(std::span<const std::string> args, std::ostream& out) {
  if (asks_for_help(args)) {
    out << kReportHelp;
    return;
  }
  CommandWords words(args, {});
  words.expect_nothing_else(1);
  const std::filesystem::path folder = words.rest()[0];
  read_set_manifest(folder);
  replace_in_set(folder, make_report(folder));
  print_summary(folder, out);
}

}  // namespace kani
