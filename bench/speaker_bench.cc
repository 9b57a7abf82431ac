// speaker_bench.cc - times the speaker encoder and prints one line of JSON, as the programs in
// bench/peers do.
//   speaker_bench ENCODER_FOLDER [--threads N] [--runs N] [--seconds S] [--dtype f32|i16]
//                 [--isa NAME]
// min / median / max over the runs after one warm-up; the cosine is to the float32 result.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "codec/fma_peak.h"
#include "kani/backend/cpu/cpu_backend.h"
#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/speaker/speaker_encoder.h"

namespace {

struct Options {
  std::string folder, dtype = "f32", isa;
  int threads = 2, runs = 5;
  double seconds = 10;
};

Options parse(int argc, char** argv) {
  kani::require(argc >= 2, "usage: speaker_bench ENCODER_FOLDER [flags]");
  Options o;
  o.folder = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string flag = argv[i], value = argv[i + 1];
    if (flag == "--threads") {
      o.threads = std::atoi(value.c_str());
    } else if (flag == "--runs") {
      o.runs = std::atoi(value.c_str());
    } else if (flag == "--seconds") {
      o.seconds = std::atof(value.c_str());
    } else if (flag == "--dtype") {
      o.dtype = value;
    } else if (flag == "--isa") {
      o.isa = value;
    } else {
      throw kani::Error(kani::ErrorCode::kInvalidArgument, "unknown flag ", flag);
    }
  }
  kani::require(o.dtype == "f32" || o.dtype == "i16", "--dtype is ", o.dtype, ", f32 or i16");
  return o;
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0;
  for (size_t i = 0; i < a.size(); ++i) dot += static_cast<double>(a[i]) * b[i];
  return dot;
}

// 10^9 multiplications and additions of the matrix products (speaker.md 10).
double gflop(const kani::SpeakerConfig& c, size_t samples) {
  double macs = 0, channels = 1;
  auto rows = static_cast<double>(samples);
  for (size_t i = 0; i < c.conv_dims.size(); ++i) {
    rows = std::floor((rows - c.conv_kernels[i]) / c.conv_strides[i]) + 1;
    macs += rows * c.conv_dims[i] * channels * c.conv_kernels[i];
    channels = c.conv_dims[i];
  }
  const double width = c.hidden_size;
  macs += rows * width * channels;                                          // projection
  macs += rows * width * (width / c.position_groups) * c.position_kernel;   // positions
  macs += c.layers * (rows * 4 * width * width + 2 * rows * rows * width +  // attention
                      rows * 2 * width * c.intermediate_size);              // feed forward
  return 2e-9 * macs;
}

void run(const Options& o) {
  const kani::cpu::Isa isa =
      o.isa.empty() ? kani::cpu::best_isa() : kani::cpu::isa_from_name(o.isa).value();
  const auto backend = kani::cpu::make_cpu_backend(o.threads, isa);
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [](auto since) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
  };
  const bool reduced = o.dtype == "i16";
  kani::SpeakerEncoder encoder(
      o.folder, *backend,
      reduced ? kani::ProductPrecision::kFixed16 : kani::ProductPrecision::kF32);
  const double load = elapsed(begin);
  kani::Random random(1);
  std::vector<float> samples(static_cast<size_t>(16000 * o.seconds));
  for (float& sample : samples) sample = static_cast<float>(0.1 * random.next_normal());
  const std::vector<float> embedding = encoder.embed(samples);
  std::vector<double> times;
  // The CPU's clock moves on shared machines, so its peak is taken anew before each run.
  kani::ThreadPool pool(o.threads);
  std::vector<double> shares;
  const double work = gflop(encoder.config(), samples.size());
  for (int i = 0; i < o.runs; ++i) {
    const double peak = kani::fma_peak_gflops(isa, pool);
    const auto start = std::chrono::steady_clock::now();
    encoder.embed(samples);
    times.push_back(elapsed(start));
    if (peak > 0) shares.push_back(work / times.back() / peak);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  double same = 1;
  if (reduced) {
    kani::SpeakerEncoder exact(o.folder, *backend);
    same = cosine(embedding, exact.embed(samples));
  }
  std::sort(times.begin(), times.end());
  std::sort(shares.begin(), shares.end());
  std::printf(
      "{\"task\": \"speaker-embedding\", \"threads\": %d, \"dtype\": \"%s\", \"isa\": \"%s\", "
      "\"seconds_of_sound\": %g, \"load_s\": %.3f, \"seconds\": {\"min\": %.3f, \"median\": %.3f, "
      "\"max\": %.3f}, \"share_of_f32_peak\": %.3f, \"cosine_to_f32\": %.6f, \"peak_rss_mb\": "
      "%.0f}\n",
      o.threads, o.dtype.c_str(), std::string(isa_name(isa)).c_str(), o.seconds, load,
      times.front(), times[times.size() / 2], times.back(),
      shares.empty() ? 0.0 : shares[shares.size() / 2], same,
      static_cast<double>(usage.ru_maxrss) / 1024);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "speaker_bench: error: %s\n", error.what());
    return 1;
  }
}
