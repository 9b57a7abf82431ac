// codec_bench.cc - how fast the codec's decoder is on this machine: random weights at the real
// width of the 0.6 kbps model, every instruction set that the CPU has.
//   codec_bench [--seconds 10] [--threads 1,2] [--isa avx512,avx2] [--push 0,1] [--repeats 5]
// --push: frames per call, 0 = all at once.  Printed: the best and the median of the repeats.  RTF
// is time taken per second of sound.  GFLOP/s count the convolutions as codec.md 7 does.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "fma_peak.h"
#include "kani/backend/cpu/signal_ops_cpu.h"
#include "kani/base/error.h"
#include "kani/codec/streaming_decoder.h"
#include "kani/spec/memory_tensors.h"

namespace kani {
namespace {

struct Options {
  double seconds = 10;
  std::vector<int> threads{1, 2};
  std::vector<std::string> isas;
  std::vector<size_t> pushes{0, 1};
  int repeats = 5;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Multiplications and additions of the decoder per frame.
double flops_per_frame(const NanoCodecConfig& config) {
  double flops = 0, rate = 1;
  const NanoCodecDecoderLayers layers = nanocodec_decoder_layers(config);
  const auto conv = [](const NanoCodecConv& c) {
    return 2.0 * static_cast<double>(c.shape[0] * c.shape[1] * c.shape[2]);
  };
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

// Seconds that `frames` frames take, in calls of `push` frames (0 = one call).
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

void run(const Options& options, cpu::Isa isa, int threads, const MemoryTensors& file) {
  const NanoCodecConfig config = nanocodec_06kbps();
  ThreadPool pool(threads);
  const auto ops = cpu::make_signal_ops(pool, isa);
  const auto load_start = std::chrono::steady_clock::now();
  const NanoCodecDecoder model(config, file, *ops);
  const double load = seconds_since(load_start);
  const double peak = fma_peak_gflops(isa, pool);
  const double frame_seconds = config.samples_per_frame / double(config.sample_rate_hz);
  const auto frames = std::max<size_t>(1, static_cast<size_t>(options.seconds / frame_seconds));
  const double gflop = flops_per_frame(config) * double(frames) * 1e-9;
  std::printf("%-8s %d threads, loaded in %.2f s, peak %.0f GFLOP/s, stream of %.2f MB\n",
              std::string(isa_name(isa)).c_str(), threads, load, peak,
              double(StreamingDecoder(model).bytes()) * 1e-6);
  for (const size_t push : options.pushes) {
    std::vector<double> times;
    for (int i = 0; i < options.repeats; ++i) times.push_back(time_decode(model, frames, push));
    std::sort(times.begin(), times.end());
    const double best = times.front(), median = times[times.size() / 2];
    const double sound = double(frames) * frame_seconds;
    std::printf("  %s: RTF %.4f (median %.4f), %.1f GFLOP/s",
                push == 0 ? "all at once" : concat(push, " frames a call").c_str(), best / sound,
                median / sound, gflop / best);
    if (peak > 0) std::printf(" = %.0f %% of peak", 100 * gflop / best / peak);
    std::printf(", %.2f ms per frame\n", 1e3 * best / double(frames));
  }
}

int run_all(int argc, char** argv) {
  Options options;
  CLI::App app("times the codec's decoder");
  app.add_option("--seconds", options.seconds, "seconds of sound")->check(CLI::Range(0.08, 3600.0));
  app.add_option("--threads", options.threads, "numbers of threads")->delimiter(',');
  app.add_option("--isa", options.isas, "instruction sets (default: all)")->delimiter(',');
  app.add_option("--push", options.pushes, "frames per call, 0 = all")->delimiter(',');
  app.add_option("--repeats", options.repeats, "repeats")->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  std::vector<cpu::Isa> isas;
  for (const cpu::Isa isa : cpu::available_isas()) {
    const bool named =
        std::find(options.isas.begin(), options.isas.end(), isa_name(isa)) != options.isas.end();
    // The level with BF16 has no float32 kernels of its own.
    if (options.isas.empty() ? isa != cpu::Isa::kAvx512Bf16 : named) isas.push_back(isa);
  }
  const MemoryTensors file = rule_decoder(nanocodec_06kbps(), /*seed=*/1);
  for (const cpu::Isa isa : isas) {
    for (const int threads : options.threads) run(options, isa, threads, file);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("peak memory %.0f MB, of which 126 MB are the made-up file\n",
              double(usage.ru_maxrss) * 1.024e-3);
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
