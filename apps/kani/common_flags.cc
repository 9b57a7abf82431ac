// common_flags.cc - see common_flags.h.
#include "apps/kani/common_flags.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "apps/kani/directories.h"
#include "apps/kani/json_text.h"
#include "apps/kani/standard_output.h"
#include "kani/base/thread_pool.h"

namespace kani::cli {
namespace {

const char* const kNoHub = "it fetches nothing from a hub";
const char* const kHubHint = "put the repository into the hub's cache and name it with --hf-repo";

void refuse_gpu_layers(const std::string& value) {
  if (value == "auto" || value == "0") return;
  if (value != "all") integer_in("--gpu-layers", value, 0, 1'000'000);
  throw Error(ErrorCode::kInvalidArgument, "--gpu-layers ", value,
              " is not available in this build: it computes on the CPU alone")
      .with_hint("leave it out, or give 0 or auto");
}

/// A repository is looked up in the hub's cache, by the engine.
void take_repository(ModelOptions& options, const std::string& value) {
  require(value.find(':') == std::string::npos, "--hf-repo is ", printable(value, 100),
          ", expected user/repo or user/repo@revision: this build knows no quantized files");
  options.model = value;
}

void define_unavailable(FlagSet& flags) {
  flags.unavailable({"--hf-file", "NAME", "a file of that repository (-hff)", ""},
                    ErrorCode::kNotFound, kNoHub, kHubHint);
  flags.unavailable({"--hf-token", "TOKEN", "the hub's access token (-hft)", ""},
                    ErrorCode::kNotFound, kNoHub, kHubHint);
}

}  // namespace

LogOptions CommonOptions::log() const {
  LogOptions log;
  log.verbosity = verbosity.value_or(verbose ? 5 : 3);
  log.quiet = quiet;
  log.file = log_file;
  log.json_lines = log_json_lines;
  log.timestamps = log_timestamps;
  return log;
}

Colours CommonOptions::colours() const {
  if (log_colours == "auto") return Colours::kAuto;
  return log_colours == "on" ? Colours::kOn : Colours::kOff;
}

void define_common(FlagSet& flags, CommonOptions& options) {
  flags.heading("Messages and settings");
  flags.toggle({"--json", "", "print results and errors as JSON", ""}, options.json);
  flags.toggle({"--jsonl", "", "the same with one line for each item", ""}, options.json_lines);
  flags.string({"--config", "FILE", "read settings from FILE", "$XDG_CONFIG_HOME/kani/kani.toml"},
               options.config);
  flags.toggle({"-v,--verbose", "", "log everything", ""}, options.verbose);
  flags.toggle({"-q,--quiet", "", "say nothing but errors", ""}, options.quiet);
  flags.integer(
      {"--log-verbosity", "N", "0 none, 1 error, 2 warning, 3 info, 4 trace, 5 debug (-lv)", "3"},
      options.verbosity, 0, 5);
  flags.string({"--log-file", "FILE", "append the log to FILE, too", ""}, options.log_file);
  flags.toggle({"--log-jsonl", "", "log lines are JSON", ""}, options.log_json_lines);
  flags.choice({"--log-colors", "on|off|auto", "colours on stderr", "auto"}, options.log_colours);
  flags.toggle({"--log-timestamps", "", "log lines on stderr begin with the time", ""},
               options.log_timestamps);
  flags.one_of({"--verbose", "--quiet", "--log-verbosity"});
}

void define_model(FlagSet& flags, ModelOptions& options, ThreadFlag threads) {
  flags.heading("Model");
  flags.string({"-m,--model", "PATH", "model folder, or user/repo in the hub's cache",
                "the model that comes with the program"},
               options.model);
  flags.custom({"--hf-repo", "REPO", "a model in the hub's cache, user/repo[@revision] (-hf)", ""},
               [&options](const std::string& value) { take_repository(options, value); });
  flags.one_of({"--model", "--hf-repo"});
  flags.string({"--codec", "FILE", "codec (.nemo)", "the one in or beside the model's folder"},
               options.codec);
  define_speaker_encoder(flags, options.speaker_encoder);
  if (threads == ThreadFlag::kOne) {
    flags.integer(
        {"-t,--threads", "N", "compute threads", "physical cores of one socket, at most 16"},
        options.threads, 1, 1024);
  }
  flags.string({"--device", "NAME", "cpu or auto (-dev)", "auto"}, options.device);
  flags.toggle({"--list-devices", "", "print the devices of this machine and end", ""},
               options.list_devices);
  flags.custom({"--gpu-layers,--n-gpu-layers", "N",
                "0 or auto: this build computes on the CPU (-ngl)", "auto"},
               refuse_gpu_layers);
  flags.custom({"--dtype", "auto|f32|bf16|q8|q4", "how weights are kept in memory", "auto"},
               [&options](const std::string& value) {
                 if (value == "f16") {
                   throw Error(ErrorCode::kInvalidArgument, "--dtype ", value,
                               " is not available in this build")
                       .with_hint("it has auto, f32, bf16, q8 and q4");
                 }
                 constexpr std::string_view kKnown[] = {"auto", "f32", "bf16", "q8", "q4"};
                 require(std::find(std::begin(kKnown), std::end(kKnown), value) != std::end(kKnown),
                         "--dtype is ", printable(value, 40),
                         ", expected one of auto, f32, bf16, q8, q4");
                 options.dtype = value;
               });
  flags.choice({"--codec-dtype", "auto|f32|bf16|i8",
                "what the codec computes in, if the processor can", "auto"},
               options.codec_dtype);
  flags.choice(
      {"--load-mode", "mmap|mlock|none", "map the file, map and lock it, or read it", "mmap"},
      options.load_mode);
  flags.toggle({"--check-tensors", "", "refuse NaN and infinity in weights", ""},
               options.check_tensors);
  flags.toggle({"--offline", "", "no network: always so in this build", ""}, options.offline);
  define_unavailable(flags);
  flags.heading("Model configuration, for models whose config.json lacks it");
  flags.number({"--audio-step", "X", "step of positions between audio frames", ""},
               options.audio_step, {0, 1000, true});
  flags.number({"--alpha-min", "X", "smallest learned position factor", ""}, options.alpha_min,
               {0, 100, true});
  flags.number({"--alpha-max", "X", "largest learned position factor", ""}, options.alpha_max,
               {0, 100, true});
  flags.choice({"--learnable-rope", "on|off", "learned position factors", ""},
               options.learnable_rope);
}

void define_speaker_encoder(FlagSet& flags, std::string& target) {
  flags.string({"--speaker-encoder", "FOLDER", "makes voices from recordings; or user/repo",
                "the one of the model's set or in the hub's cache"},
               target);
}

void define_voice_folders(FlagSet& flags, std::vector<std::string>& target) {
  flags.list(
      {"--voices", "FOLDER", "look for voices in FOLDER first; may be given several times", ""},
      target);
}

int thread_count(std::optional<int> asked) {
  const int wanted = asked.value_or(default_thread_count());
  const std::string limit_text = environment("OMP_NUM_THREADS");
  if (limit_text.empty()) return wanted;
  const std::optional<int64_t> limit = parse_integer(limit_text);
  if (!limit || *limit < 1) {
    log_warning("settings", "OMP_NUM_THREADS is ", printable(limit_text),
                ", expected a whole number from 1; ignored");
    return wanted;
  }
  if (*limit >= wanted) return wanted;
  if (asked) log_warning("settings", "OMP_NUM_THREADS limits the threads to ", *limit);
  return static_cast<int>(*limit);
}

EngineOptions ModelOptions::engine() const {
  EngineOptions engine;
  engine.model = model;
  engine.codec = codec;
  engine.threads = thread_count(threads);
  engine.device = device;
  engine.weights = dtype == "f32"    ? WeightType::kF32
                   : dtype == "bf16" ? WeightType::kBF16
                   : dtype == "q8"   ? WeightType::kQ8
                   : dtype == "q4"   ? WeightType::kQ4
                                     : WeightType::kAuto;
  engine.codec_type = codec_dtype == "f32"    ? CodecType::kF32
                      : codec_dtype == "bf16" ? CodecType::kBF16
                      : codec_dtype == "i8"   ? CodecType::kI8
                                              : CodecType::kAuto;
  engine.load_mode = load_mode == "mlock"  ? LoadMode::kLock
                     : load_mode == "none" ? LoadMode::kRead
                                           : LoadMode::kMap;
  engine.check_tensors = check_tensors;
  engine.audio_step = audio_step;
  engine.alpha_min = alpha_min;
  engine.alpha_max = alpha_max;
  if (!learnable_rope.empty()) engine.use_learnable_rope = learnable_rope == "on";
  return engine;
}

void define_sampling(FlagSet& flags, SamplingOptions& options) {
  flags.heading("Sampling (a model's generation_config.json wins over these defaults)");
  flags.seed({"-s,--seed", "N", "seed of the random choices, -1 is a new one", "-1"}, options.seed);
  flags.number({"--temp,--temperature", "X", "0 always takes the likeliest", "0.6"},
               options.temperature, {0, 2});
  flags.number({"--top-p", "X", "choose among the likeliest that make up this share", "0.95"},
               options.top_p, {0, 1, true});
  flags.integer({"--top-k", "N", "choose among the N likeliest, 0 is off", "50"}, options.top_k, 0,
                1000);
  flags.number(
      {"--min-p", "X", "drop what is less likely than X times the likeliest, 0 is off", "0"},
      options.min_p, {0, 1});
  flags.number({"--repeat-penalty,--repetition-penalty", "X",
                "makes repeated sounds less likely, 1 is off", "1.1"},
               options.repetition_penalty, {1, 2});
  flags.integer({"-n,--max-new-tokens,--predict", "N",
                 "limit per sentence group; 50 tokens are about a second", "3000"},
                options.max_new_tokens, 4, 6000);
}

void print_devices(StandardOutput& out, const CommonOptions& common) {
  const std::vector<Device> found = devices();
  if (!common.json) {
    for (const Device& device : found) out.line(concat(device.name, "  ", device.description));
    return;
  }
  Json list = Json::array();
  for (const Device& device : found)
    list.push_back({{"name", device.name}, {"description", device.description}});
  out.write(json_items("devices", list, common.json_lines));
}

}  // namespace kani::cli
