// conv_algorithms.cc - the decoder's residual convolutions one by one, plain and split
// (backend/cpu/split_conv.h), in turn on one thread: multiplications, time, error against sums in
// double.  Random weights and samples of the real widths, as many columns as a piece of work has.
//   conv_algorithms [rounds, 9 if not said]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "kani/backend/cpu/signal_ops_cpu.h"
#include "kani/base/random.h"

namespace kani {
namespace {

std::vector<float> random_values(Random& random, size_t count, double scale) {
  std::vector<float> out(count);
  for (float& value : out) value = static_cast<float>(scale * (2 * random.next_uniform() - 1));
  return out;
}

// One form of a convolution and what it made.
struct Form {
  Form(SignalOps& ops, const ConvShape& s, std::span<const float> weight,
       std::span<const float> bias, size_t columns)
      : shape(s), memory(ops.allocate(ops.packed_size(s))), y(s.outputs * columns), cols(columns) {
    ops.pack_conv(shape, weight, bias, memory->data());
  }
  void run(SignalOps& ops, ConstMatrix x) {
    const size_t history = shape.history();
    const Matrix out(y.data(), shape.outputs, cols);
    const auto start = std::chrono::steady_clock::now();
    ops.causal_conv({shape, memory->data()}, x.cols(x.cols() - history - cols, history + cols),
                    {.y = out});
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    seconds.push_back(taken.count());
  }
  double median() {
    std::sort(seconds.begin(), seconds.end());
    return seconds[seconds.size() / 2];
  }

  ConvShape shape;
  std::unique_ptr<SignalMemory> memory;
  std::vector<float> y;
  size_t cols;
  std::vector<double> seconds;
};

// Signal to noise in dB of some rows and columns.
double snr(const Form& form, std::span<const float> weight, std::span<const float> bias,
           ConstMatrix x) {
  const ConvShape& s = form.shape;
  const size_t first = x.cols() - form.cols - (s.taps - 1) * s.dilation;
  double signal = 0, noise = 0;
  for (size_t o = 0; o < s.outputs; o += 9) {
    for (size_t t = 0; t < form.cols; t += 7) {
      double v = bias[o];
      for (size_t i = 0; i < s.inputs; ++i) {
        for (size_t j = 0; j < s.taps; ++j) {
          v += static_cast<double>(weight[(o * s.inputs + i) * s.taps + j]) *
               x.at(i, first + t + j * s.dilation);
        }
      }
      const double difference = form.y[o * form.cols + t] - v;
      signal += v * v;
      noise += difference * difference;
    }
  }
  return 10 * std::log10(signal / noise);
}

// `frame`: columns of one frame.
void compare(SignalOps& ops, const ConvShape& shape, size_t frame, size_t cols, int rounds) {
  Random random(1);
  const size_t terms = shape.inputs * shape.taps;
  const auto weight =
      random_values(random, shape.outputs * terms, 1 / std::sqrt(static_cast<double>(terms)));
  const auto bias = random_values(random, shape.outputs, 0.1);
  ConvShape other = shape;
  other.split = true;
  Form plain(ops, shape, weight, bias, cols), split(ops, other, weight, bias, cols);
  const auto numbers = random_values(random, shape.inputs * (other.history() + cols), 1);
  const ConstMatrix x(numbers.data(), shape.inputs, other.history() + cols);
  for (int i = 0; i < rounds; ++i) {
    plain.run(ops, x);
    split.run(ops, x);
  }
  const double products = static_cast<double>(ops.packed_size(other)) /
                          (4.0 * static_cast<double>(ops.packed_size(shape)));
  std::printf("%6zu %7zu %4zu %8zu %16.2f %12.3f %10.3f %6.2f %10.1f %9.1f  %s\n", shape.inputs,
              cols, shape.taps, shape.dilation, products, 1e3 * plain.median(),
              1e3 * split.median(), split.median() / plain.median(), snr(plain, weight, bias, x),
              snr(split, weight, bias, x), ops.split_pays(shape, frame) ? "split" : "plain");
}

}  // namespace
}  // namespace kani

int main(int argc, char** argv) {
  const int rounds = std::max(1, argc > 1 ? std::atoi(argv[1]) : 9);
  kani::ThreadPool pool(1);
  const auto ops = kani::cpu::make_signal_ops(pool, kani::cpu::best_isa());
  std::printf(
      " width columns taps dilation multiplications    plain, ms  split, ms  ratio  plain, dB "
      "split, dB"
      "  decoder takes\n");
  struct Stage {
    size_t width, frame, cols;
  };
  for (const auto [width, frame, cols] :
       {Stage{432, 7, 301}, Stage{216, 49, 560}, Stage{108, 294, 1152}, Stage{54, 882, 2400},
        Stage{27, 1764, 4832}}) {
    for (const size_t taps : {3, 7, 11}) {
      for (const size_t dilation : {1, 3, 5}) {
        kani::compare(*ops, {width, width, taps, dilation}, frame, frame, rounds);
        kani::compare(*ops, {width, width, taps, dilation}, frame, cols, rounds);
      }
    }
  }
}
