// engine_bench.cc - times one part of the engine and prints one line of JSON, as the programs in
// bench/peers do.
//   engine_bench MODEL decode|prefill|codec|first-sound [--threads N] [--runs N] [--tokens N]
//   [--prompt N] [--seconds S]
//                [--frames N] [--batch N] [--isa NAME] [--f32] [--codec-dtype f32|bf16|i8]
// min / median / max over the runs after one warm-up.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "kani/kani.h"

namespace {

struct Options {
  std::string task;
  kani::EngineOptions engine;
  int runs = 5, tokens = 200, prompt = 40, frames = 8, batch = 1;
  double seconds = 10;
};

kani::CodecType codec_type(const std::string& name) {
  if (name == "f32") return kani::CodecType::kF32;
  if (name == "bf16") return kani::CodecType::kBF16;
  if (name == "i8") return kani::CodecType::kI8;
  throw kani::Error(kani::ErrorCode::kInvalidArgument, "unknown --codec-dtype ", name);
}

Options parse(int argc, char** argv) {
  kani::require(argc >= 3, "usage: engine_bench MODEL decode|prefill|codec|first-sound [flags]");
  Options o;
  o.engine.model = argv[1];
  o.task = argv[2];
  o.engine.threads = 2;
  for (int i = 3; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--f32" || flag == "--q8" || flag == "--q4") {
      o.engine.weights = flag == "--f32"  ? kani::WeightType::kF32
                         : flag == "--q8" ? kani::WeightType::kQ8
                                          : kani::WeightType::kQ4;
      continue;
    }
    kani::require(i + 1 < argc, "flag ", flag, " needs a value");
    const char* value = argv[++i];
    if (flag == "--threads")
      o.engine.threads = std::atoi(value);
    else if (flag == "--runs")
      o.runs = std::atoi(value);
    else if (flag == "--tokens")
      o.tokens = std::atoi(value);
    else if (flag == "--prompt")
      o.prompt = std::atoi(value);
    else if (flag == "--frames")
      o.frames = std::atoi(value);
    else if (flag == "--batch")
      o.batch = std::atoi(value);
    else if (flag == "--seconds")
      o.seconds = std::atof(value);
    else if (flag == "--isa")
      o.engine.isa = value;
    else if (flag == "--codec-dtype")
      o.engine.codec_type = codec_type(value);
    else
      throw kani::Error(kani::ErrorCode::kInvalidArgument, "unknown flag ", flag);
  }
  return o;
}

double once(kani::Engine& engine, const Options& o) {
  const auto rate = [](const kani::BenchTimes& t) {
    return static_cast<double>(t.units) / t.seconds;
  };
  if (o.task == "decode") return rate(engine.time_decode(o.prompt, o.tokens, o.batch));
  if (o.task == "prefill") return rate(engine.time_prefill(o.prompt));
  if (o.task == "codec") return engine.time_codec(o.seconds, o.frames).seconds / o.seconds;
  if (o.task == "first-sound") {
    const kani::SpeechRequest request{
        .text = "The quick brown fox jumps over the lazy dog, and then it sleeps.",
        .sampling = {.max_new_tokens = 40, .seed = 1}};
    return engine.speak(request, [](std::span<const float>) { return false; }).first_sound_s;
  }
  throw kani::Error(kani::ErrorCode::kInvalidArgument, "unknown task ", o.task);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options o = parse(argc, argv);
    kani::Engine engine(o.engine);
    once(engine, o);
    std::vector<double> values;
    for (int i = 0; i < o.runs; ++i) values.push_back(once(engine, o));
    std::sort(values.begin(), values.end());
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const char* unit = o.task == "codec" ? "rtf" : o.task == "first-sound" ? "s" : "tokens_per_s";
    std::printf(
        "{\"metric\": \"kani-%s\", \"backend\": \"%s\", \"codec\": \"%s\", \"%s\": {\"min\": %.5g, "
        "\"median\": %.5g, "
        "\"max\": %.5g}, "
        "\"peak_rss_mb\": %ld}\n",
        o.task.c_str(), engine.backend_name().c_str(), engine.codec_type().c_str(), unit,
        values.front(), values[values.size() / 2], values.back(), usage.ru_maxrss / 1024);
    return 0;
  } catch (const kani::Error& error) {
    std::fprintf(stderr, "engine_bench: error: %s\n", error.what());
    return kani::exit_status(error.code());
  }
}
