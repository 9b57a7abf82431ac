// arrow_commands.cc - see arrow_commands.h.
#include "kani/dataset/arrow_commands.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <new>
#include <optional>
#include <string_view>
#include <vector>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/dataset/arrow_convert.h"
#include "kani/dataset/arrow_prepare.h"
#include "kani/dataset/command_words.h"
#include "kani/spec/lfm2.h"

namespace kani {
namespace {

constexpr std::string_view kPrepareHelp =
    R"(prepare --config FILE --tokenizer FOLDER --out FOLDER [options]
  --config FILE          dataset_config.yaml
  --tokenizer FOLDER     with the base model's tokenizer.json
  --out FOLDER           where the set is written; must not exist or be empty
  --sources FOLDER       where relative source names start (default: folder of the configuration)
  --format WHAT          processed, shards or both (default)
                         bad rows are left out, and rejects.jsonl says why
  --parity               upstream's rules to the digit; the first bad row is an error
  --drop-repeated-frames yes or no (default: yes with --parity, else no)
  --model FILE           config.json of the model to be trained (default: KaniTTS2's numbers)
  --audio-start N, --codebook-size N, --voice-size N
                         single numbers in place of the model's; voice size 0: clips have no voice
)";

constexpr std::string_view kConvertHelp =
    R"(convert INPUT OUTPUT --to shards|parquet|processed [options]
  INPUT                  a .kshard, .parquet or .arrow file, or a folder of one kind
  OUTPUT                 a folder; must not exist or be empty
  --split NAME|all       which split of an input folder (default: train); its name is kept
  --tokenizer FOLDER     needed where text is there and ids are not, or the reverse
  --no-tags              the language is not put in front of a text that is without; Parquet of
                         ours says whether it is
  --skip-bad             bad rows are dropped and counted, not an error
  --model FILE, --audio-start N, --codebook-size N, --voice-size N
                         as in prepare (default: what a shard or Parquet of ours says)
)";

constexpr int kPlannedVocabulary = 80'538;  // rows of KaniTTS2's embedding

struct ModelNumbers {
  TokenLayout layout;
  int voice_dim = 128;
  bool layout_given = false, voice_given = false;  // by a flag
};

ModelNumbers model_numbers(CommandWords& words) {
  Lfm2Config config;
  config.vocab_size = kPlannedVocabulary;
  const auto file = words.take("--model");
  if (file) config = parse_lfm2_config(read_file(*file, kMaxConfigBytes), *file);
  const auto start = words.take_number("--audio-start", 11, 1 << 24);
  const auto codes = words.take_number("--codebook-size", 1, 4096);
  const auto voice = words.take_number("--voice-size", 0, 4096);
  require(config.tokens_per_frame == 4, "the model has ", config.tokens_per_frame,
          " codes a frame, data sets have 4");
  const int codebook_size = codes.value_or(config.codebook_size());
  config.audio_tokens_start = start.value_or(config.audio_tokens_start);
  config.vocab_size = config.audio_tokens_start + 4 * codebook_size;
  return {.layout = TokenLayout::of(config),
          .voice_dim = voice.value_or(config.speaker_emb_dim),
          .layout_given = file || start || codes,
          .voice_given = file || voice};
}

void prepare(CommandWords& words, std::ostream& out) {
  PrepareOptions options;
  options.config = words.need("--config");
  options.tokenizer = words.need("--tokenizer");
  options.out = words.need("--out");
  options.sources = words.take("--sources").value_or(options.config.parent_path().string());
  const std::string format = words.take("--format").value_or("both");
  require(format == "both" || format == "processed" || format == "shards", "--format is \"",
          printable(format), "\", must be processed, shards or both");
  options.write_set = format != "shards";
  options.write_shards = format != "processed";
  options.parity = words.take("--parity").has_value();
  if (const auto drop = words.take("--drop-repeated-frames")) {
    require(*drop == "yes" || *drop == "no", "--drop-repeated-frames is \"", printable(*drop),
            "\", must be yes or no");
    options.drop_repeated_frames = *drop == "yes";
  }
  const ModelNumbers numbers = model_numbers(words);
  options.layout = numbers.layout;
  options.voice_dim = numbers.voice_dim;
  words.expect_nothing_else(0);
  out << prepare_set(options).text();
}

SetForm form_of(const std::string& name) {
  if (name == "shards") return SetForm::kShards;
  if (name == "parquet") return SetForm::kParquet;
  require(name == "processed", "--to is \"", printable(name),
          "\", must be shards, parquet or processed");
  return SetForm::kProcessed;
}

void convert(CommandWords& words, std::ostream& out) {
  ConvertOptions options;
  options.form = form_of(words.need("--to"));
  options.split = words.take("--split").value_or("train");
  if (const auto folder = words.take("--tokenizer")) options.tokenizer = *folder;
  options.tags = !words.take("--no-tags").has_value();
  if (words.take("--skip-bad")) options.bad_rows = BadRows::kDrop;
  const ModelNumbers numbers = model_numbers(words);
  if (numbers.layout_given) options.layout = numbers.layout;
  if (numbers.voice_given) options.voice_dim = numbers.voice_dim;
  words.expect_nothing_else(2);
  options.input = words.rest()[0];
  options.output = words.rest()[1];
  const ConvertReport report = convert_set(options);
  out << report.clips << " clips\n";
  for (const auto& [fault, entry] : report.faults.reasons)
    out << "dropped, " << fault_name(fault) << ": " << entry.rows << ", the first: " << entry.first
        << "\n";
  for (const std::string& lost : report.lost) out << "not in this form: " << lost << "\n";
}

/// Runs a command; whatever it throws becomes lines and a status, as of the other commands.
int guarded(std::ostream& err, const std::function<void()>& command) {
  const auto fail = [&](ErrorCode code, const std::string& message, const std::string& hint = {}) {
    err << "kani-data: error: " << message << "\n";
    if (!hint.empty()) err << "hint: " << hint << "\n";
    return exit_status(code);
  };
  try {
    command();
    return 0;
  } catch (const Error& error) {
    const bool usage = error.code() == ErrorCode::kInvalidArgument && error.hint().empty();
    return fail(error.code(), error.what(),
                usage ? "kani-data COMMAND --help lists the flags" : error.hint());
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kOutOfMemory, "out of memory");
  } catch (const std::filesystem::filesystem_error& error) {
    return fail(ErrorCode::kBadInput, concat(error.path1(), ": ", error.code().message()));
  } catch (const std::exception& error) {
    return fail(ErrorCode::kInternal, error.what());
  }
}

bool asks_for_help(std::span<const std::string> args) {
  return std::find(args.begin(), args.end(), "--help") != args.end();
}

}  // namespace

int run_prepare(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  return guarded(err, [&] {
    if (asks_for_help(args)) {
      out << kPrepareHelp;
      return;
    }
    constexpr std::string_view kSwitches[] = {"--parity"};
    CommandWords words(args, kSwitches);
    prepare(words, out);
  });
}

int run_convert(std::span<const std::string> args, std::ostream& out, std::ostream& err) {
  return guarded(err, [&] {
    if (asks_for_help(args)) {
      out << kConvertHelp;
      return;
    }
    constexpr std::string_view kSwitches[] = {"--no-tags", "--skip-bad"};
    CommandWords words(args, kSwitches);
    convert(words, out);
  });
}

}  // namespace kani
