// codec_bench.cc - how fast the codec's decoder or encoder is on this machine: random weights at
// the real width of the 0.6 kbps model, every instruction set that the CPU has.
//   codec_bench [--encode] [--seconds 10] [--threads 1,2] [--isa avx512,avx2] [--push 0,1]
//               [--precision f32|bf16|i8] [--repeats 5] [--json]
// --push: frames per call, 0 = all at once.  Printed: the best and the median of the repeats, or
// with --json a line for each measurement as the programs in bench/peers print it.  RTF is time
// taken per second of sound.  GFLOP/s count the convolutions as codec.md 7 does.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fma_peak.h"
#include "kani/backend/cpu/signal_ops_cpu.h"
#include "kani/base/error.h"
#include "kani/codec/streaming_decoder.h"
#include "kani/codec/streaming_encoder.h"
#include "kani/spec/memory_tensors.h"

namespace kani {
namespace {

struct Options {
  double seconds = 10;
  std::vector<int> threads{1, 2};
  std::vector<std::string> isas;
  std::vector<size_t> pushes{0, 1};
  int repeats = 5;
  bool encode = false;
  SignalType precision = SignalType::kF32;
  bool json = false;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Multiplications and additions of a convolution per output column.
double conv_flops(const NanoCodecConv& conv) {
  return 2.0 * static_cast<double>(conv.shape[0] * conv.shape[1] * conv.shape[2]);
}

// The same of the decoder, per frame.
double decoder_flops(const NanoCodecConfig& config) {
  double flops = 0, rate = 1;
  const NanoCodecDecoderLayers layers = nanocodec_decoder_layers(config);
  const auto conv = conv_flops;
  flops += conv(layers.pre_conv);
  for (const NanoCodecStage& stage : layers.stages) {
    flops += rate * conv(stage.up);
    rate *= static_cast<double>(stage.up.shape[2]) / 2;
    for (const auto& branch : stage.branches) {
      for (const NanoCodecBlock& block : branch) {
        flops += rate * (conv(block.input_conv) + conv(block.skip_conv));
      }
    }
  }
  return flops + rate * conv(layers.post_conv);
}

double encoder_flops(const NanoCodecConfig& config) {
  double rate = config.samples_per_frame;
  const NanoCodecEncoderLayers layers = nanocodec_encoder_layers(config);
  double flops = rate * conv_flops(layers.pre_conv);
  for (const NanoCodecEncoderStage& stage : layers.stages) {
    for (const auto& branch : stage.branches) {
      for (const NanoCodecEncoderBlock& block : branch) {
        flops += rate * (conv_flops(block.input_conv) + conv_flops(block.skip_conv));
      }
    }
    rate /= static_cast<double>(stage.down.shape[2]) / 2;
    flops += rate * conv_flops(stage.down);
  }
  return flops + rate * conv_flops(layers.post_conv);
}

// Seconds that `frames` frames take, in calls of `push` frames (0 = one call).
double time_encode(const NanoCodecEncoder& model, size_t frames, size_t push) {
  StreamingEncoder encoder(model);
  std::vector<float> samples(frames * model.samples_per_frame());
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<float>(double(splitmix64(i) >> 40) * 0x1p-24 - 0.5);
  }
  const size_t step = (push == 0 ? frames : push) * model.samples_per_frame();
  EncodedFrames out;
  const auto start = std::chrono::steady_clock::now();
  for (size_t first = 0; first < samples.size(); first += step) {
    encoder.push(std::span(samples).subspan(first, std::min(step, samples.size() - first)), out);
  }
  encoder.finish(out);
  return seconds_since(start);
}

// The same the other way round.
double time_decode(const NanoCodecDecoder& model, size_t frames, size_t push) {
  StreamingDecoder decoder(model);
  const size_t codebooks = model.codebooks(), hop = model.samples_per_frame();
  std::vector<int32_t> codes(frames * codebooks);
  for (size_t i = 0; i < codes.size(); ++i) {
    codes[i] =
        static_cast<int32_t>(splitmix64(i) % static_cast<uint64_t>(model.quantizer().size()));
  }
  std::vector<float> samples(frames * hop);
  const size_t step = push == 0 ? frames : push;
  const auto start = std::chrono::steady_clock::now();
  for (size_t first = 0; first < frames; first += step) {
    const size_t count = std::min(step, frames - first);
    decoder.push(std::span(codes).subspan(first * codebooks, count * codebooks),
                 std::span(samples).subspan(first * hop, count * hop));
  }
  return seconds_since(start);
}

// What is measured: one side of a model on some threads of some instruction set.
struct Subject {
  double load_seconds = 0;
  size_t stream_bytes = 0;
  double flops_per_frame = 0;
  std::function<double(size_t frames, size_t push)> time;  // seconds
};

template <typename Stream, typename Model, typename... Args>
Subject subject(double flops_per_frame, double (*time)(const Model&, size_t, size_t),
                const Args&... args) {
  const auto start = std::chrono::steady_clock::now();
  const auto model = std::make_shared<Model>(args...);
  return {seconds_since(start), Stream(*model).bytes(), flops_per_frame,
          [model, time](size_t frames, size_t push) { return time(*model, frames, push); }};
}

void run(const Options& options, cpu::Isa isa, int threads, const NanoCodecConfig& config,
         const MemoryTensors& file) {
  ThreadPool pool(threads);
  const auto ops = cpu::make_signal_ops(pool, isa);
  const Subject codec = options.encode
                            ? subject<StreamingEncoder>(encoder_flops(config), time_encode, config,
                                                        file, std::ref(*ops))
                            : subject<StreamingDecoder>(decoder_flops(config), time_decode, config,
                                                        file, std::ref(*ops), options.precision);
  const double peak = fma_peak_gflops(isa, pool);
  const double frame_seconds = config.samples_per_frame / double(config.sample_rate_hz);
  const auto frames = std::max<size_t>(1, static_cast<size_t>(options.seconds / frame_seconds));
  const double gflop = codec.flops_per_frame * double(frames) * 1e-9;
  const std::string name(isa_name(isa));
  if (!options.json) {
    std::printf("%-8s %d threads, loaded in %.2f s, peak %.0f GFLOP/s, stream of %.2f MB\n",
                name.c_str(), threads, codec.load_seconds, peak, double(codec.stream_bytes) * 1e-6);
  }
  for (const size_t push : options.pushes) {
    std::vector<double> times;
    for (int i = 0; i < options.repeats; ++i) times.push_back(codec.time(frames, push));
    std::sort(times.begin(), times.end());
    const double best = times.front(), median = times[times.size() / 2];
    const double sound = double(frames) * frame_seconds;
    if (options.json) {
      std::printf(
          "{\"metric\": \"codec-%s\", \"isa\": \"%s\", \"threads\": %d, \"push\": %zu, "
          "\"seconds_of_sound\": %.2f, "
          "\"rtf\": {\"min\": %.5f, \"median\": %.5f, \"max\": %.5f}}\n",
          options.encode ? "encode" : "decode", name.c_str(), threads, push, sound, best / sound,
          median / sound, times.back() / sound);
      continue;
    }
    std::printf("  %s: RTF %.4f (median %.4f), %.1f GFLOP/s",
                push == 0 ? "all at once" : concat(push, " frames a call").c_str(), best / sound,
                median / sound, gflop / best);
    if (peak > 0) std::printf(" = %.0f %% of peak", 100 * gflop / best / peak);
    std::printf(", %.2f ms per frame\n", 1e3 * best / double(frames));
  }
}

std::vector<cpu::Isa> chosen_isas(const std::vector<std::string>& names, SignalType precision) {
  if (names.size() == 1 && names[0] == "best") return {cpu::best_isa()};
  std::vector<cpu::Isa> isas;
  for (const cpu::Isa isa : cpu::available_isas()) {
    const bool named = std::find(names.begin(), names.end(), isa_name(isa)) != names.end();
    // The levels with VNNI and with BF16 have no float32 kernels of their own, the others no more.
    const bool more = isa == cpu::Isa::kAvx512Vnni || isa == cpu::Isa::kAvx512Bf16;
    const bool own = more == (precision != SignalType::kF32);
    if (names.empty() ? own : named) isas.push_back(isa);
  }
  return isas;
}

int run_all(int argc, char** argv) {
  Options options;
  CLI::App app("times the codec's decoder or encoder");
  app.add_flag("--encode", options.encode, "the encoder");
  app.add_flag("--json", options.json, "a line of JSON for each measurement");
  app.add_option("--seconds", options.seconds, "seconds of sound")->check(CLI::Range(0.08, 3600.0));
  app.add_option("--threads", options.threads, "numbers of threads")->delimiter(',');
  app.add_option("--isa", options.isas, "instruction sets, or best (default: all)")->delimiter(',');
  app.add_option("--push", options.pushes, "frames per call, 0 = all")->delimiter(',');
  const std::map<std::string, SignalType> precisions{
      {"f32", SignalType::kF32}, {"bf16", SignalType::kBf16}, {"i8", SignalType::kI8}};
  app.add_option("--precision", options.precision, "f32, bf16 or i8: the decoder's convolutions")
      ->transform(CLI::CheckedTransformer(precisions));
  app.add_option("--repeats", options.repeats, "repeats")->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  const NanoCodecConfig config =
      options.encode ? with_encoder(nanocodec_06kbps()) : nanocodec_06kbps();
  const MemoryTensors file =
      options.encode ? rule_codec(config, /*seed=*/1) : rule_decoder(config, /*seed=*/1);
  for (const cpu::Isa isa : chosen_isas(options.isas, options.precision)) {
    for (const int threads : options.threads) run(options, isa, threads, config, file);
  }
  if (options.json) return 0;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("peak memory %.0f MB, of which %d MB are the made-up file\n",
              double(usage.ru_maxrss) * 1.024e-3, options.encode ? 247 : 126);
  return 0;
}

}  // namespace
}  // namespace kani

int main(int argc, char** argv) {
  try {
    return kani::run_all(argc, argv);
  } catch (const kani::Error& error) {
    std::fprintf(stderr, "codec_bench: %s\n", error.what());
    return kani::exit_status(error.code());
  }
}
