// wavlm.cc - the computation; loading is in wavlm_load.cc.  Reads like speaker.md 4 to 8.
#include "kani/speaker/wavlm.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "kani/base/error.h"
#include "kani/speaker/wavlm_workspace.h"

namespace kani {
namespace {

// Frames whose samples go through the extractor together.  No layer of it looks beyond its own
// window, so any number is exact; with 64 the largest intermediate has 8 MB at the real size.
constexpr size_t kTileFrames = 64;

// Rows after each convolution when `frames` come out of the last.
std::vector<size_t> rows_for_frames(const SpeakerConfig& config, size_t frames) {
  std::vector<size_t> rows(config.conv_dims.size());
  for (size_t i = rows.size(); i-- > 0;) {
    rows[i] = frames;
    frames = (frames - 1) * static_cast<size_t>(config.conv_strides[i]) +
             static_cast<size_t>(config.conv_kernels[i]);
  }
  return rows;
}

// Rows after each convolution when `samples` go into the first; 0 from where they are too few.
std::vector<size_t> rows_of_samples(const SpeakerConfig& config, size_t samples) {
  std::vector<size_t> rows;
  size_t n = samples;
  for (size_t i = 0; i < config.conv_dims.size(); ++i) {
    const auto kernel = static_cast<size_t>(config.conv_kernels[i]);
    n = n < kernel ? 0 : (n - kernel) / static_cast<size_t>(config.conv_strides[i]) + 1;
    rows.push_back(n);
  }
  return rows;
}

FileMatrix file_matrix(const TensorInfo& tensor) {
  return {.dtype = tensor.dtype,
          .bytes = tensor.bytes,
          .rows = static_cast<size_t>(tensor.shape[0]),
          .cols = static_cast<size_t>(tensor.elements() / tensor.shape[0])};
}

}  // namespace

int position_bucket(int distance, int buckets, int max_distance) {
  const int half = buckets / 2, exact = half / 2;
  const int size = distance < 0 ? -distance : distance;
  const int side = distance > 0 ? half : 0;
  if (size < exact) return side + size;
  // In float32, as upstream does it.
  const float share = std::log(static_cast<float>(size) / static_cast<float>(exact)) /
                      static_cast<float>(std::log(static_cast<double>(max_distance) / exact));
  const float bucket = static_cast<float>(exact) + share * static_cast<float>(half - exact);
  return side + std::min(static_cast<int>(bucket), half - 1);
}

size_t speaker_frames(const SpeakerConfig& config, size_t samples) {
  return rows_of_samples(config, samples).back();
}

std::vector<float> WavLm::embed(std::span<const float> samples, const CancelToken* cancel,
                                const SpeakerObserver& observer) {
  const size_t frames = speaker_frames(config_, samples.size());
  assert(frames >= 2);
  observer_ = observer ? &observer : nullptr;
  work_->fit(frames);
  const auto check = [cancel] {
    if (cancel != nullptr && cancel->cancelled()) throw Error(ErrorCode::kCancelled, "cancelled");
  };

  const Matrix features = work_->features();
  extract(samples, observer_ ? frames : kTileFrames, features);
  check();
  ops_.layer_norm(features, feature_norm_.weight, feature_norm_.bias, 1e-5F, false, features);
  show(features, "feat_ln");
  const Matrix x = work_->x();
  product(features, projection_, ProductEnd::kStore, x);
  show(x, "feat_proj");
  add_positions(x);
  show(x, "enc_in");

  const std::vector<float> bias = distance_biases(frames);
  const ConstMatrix bias_rows(bias.data(), static_cast<size_t>(config_.heads), 2 * frames - 1);
  for (size_t l = 0; l < layers_.size(); ++l) {
    check();
    run_layer(l, x, bias_rows);
  }
  ops_.layer_norm(x, final_norm_.weight, final_norm_.bias, eps_, false, x);
  show(x, "final");

  const std::vector<double> embedding = run_head(head2_, run_head(head1_, pool(x), "top1"), "top2");
  observer_ = nullptr;
  double norm = 0;
  for (const double value : embedding) norm += value * value;
  norm = std::max(std::sqrt(norm), 1e-12);
  std::vector<float> result;
  for (const double value : embedding) result.push_back(static_cast<float>(value / norm));
  return result;
}

// Each convolution is a product with overlapping rows: row t of the left matrix is the kernel * C
// adjacent numbers from frame t * stride on.
void WavLm::extract(std::span<const float> samples, size_t tile_frames, Matrix features) {
  size_t hop = 1;
  for (const int stride : config_.conv_strides) hop *= static_cast<size_t>(stride);
  const auto signal = ops_.allocate(samples.size());
  ops_.upload(ConstMatrix(samples.data(), 1, samples.size()),
              Matrix(signal->data(), 1, samples.size()));
  std::vector<size_t> rows =
      observer_ ? rows_of_samples(config_, samples.size()) : rows_for_frames(config_, tile_frames);
  size_t room = 0;
  for (size_t i = 0; i < rows.size(); ++i)
    room = std::max(room, rows[i] * static_cast<size_t>(config_.conv_dims[i]));
  const auto even = ops_.allocate(room), odd = ops_.allocate(room);

  for (size_t first = 0; first < features.rows(); first += tile_frames) {
    const size_t count = std::min(tile_frames, features.rows() - first);
    if (!observer_) rows = rows_for_frames(config_, count);
    const float* in = signal->data() + first * hop;
    size_t channels = 1;
    for (size_t i = 0; i < rows.size(); ++i) {
      const bool last = i + 1 == rows.size();
      const Convolution& conv = convolutions_[i];
      const auto width = static_cast<size_t>(config_.conv_dims[i]);
      const Matrix out = last ? features.rows(first, count)
                              : Matrix((i % 2 == 0 ? even : odd)->data(), rows[i], width);
      const Windows windows(in, out.rows(), static_cast<size_t>(config_.conv_kernels[i]) * channels,
                            static_cast<size_t>(config_.conv_strides[i]) * channels);
      ops_.product(windows, *conv.weight, {}, ProductEnd::kStore, out);
      if (i == 0) show(out, "conv0_raw");
      ops_.layer_norm(out, conv.norm.weight, conv.norm.bias, 1e-5F, /*gelu=*/true, out);
      show(out, concat("conv", i));
      in = out.data();
      channels = width;
    }
  }
}

// Grouped convolution over time with zeros around, GELU, added to x.  A group's channels are copied
// side by side, so that the window of each frame is adjacent.
void WavLm::add_positions(Matrix x) {
  const auto kernel = static_cast<size_t>(config_.position_kernel);
  const size_t frames = x.rows(), groups = position_weights_.size(), width = x.cols() / groups;
  const auto padded = ops_.allocate((frames + kernel - 1) * width);  // zeros
  const Matrix inside(padded->data() + kernel / 2 * width, frames, width);
  const Windows windows(padded->data(), frames, kernel * width, width);
  std::unique_ptr<SignalMemory> alone;  // the convolution without what it is added to
  if (observer_) alone = ops_.allocate(frames * x.cols());
  for (size_t g = 0; g < groups; ++g) {
    const Matrix group = x.cols(g * width, width);
    ops_.copy(group, inside);
    const std::span<const float> bias{position_bias_.data() + g * width, width};
    if (alone) {
      const Matrix all(alone->data(), frames, x.cols());
      ops_.product(windows, *position_weights_[g], bias, ProductEnd::kGelu,
                   all.cols(g * width, width));
    }
    ops_.product(windows, *position_weights_[g], bias, ProductEnd::kGeluAdd, group);
  }
  if (alone) show(Matrix(alone->data(), frames, x.cols()), "pos_conv");
}

// bias [heads, 2T - 1], by distance key - query from -(T - 1) on.
std::vector<float> WavLm::distance_biases(size_t frames) const {
  const auto heads = static_cast<size_t>(config_.heads);
  const size_t count = 2 * frames - 1;
  std::vector<float> bias(heads * count);
  for (size_t d = 0; d < count; ++d) {
    const int distance = static_cast<int>(d) - static_cast<int>(frames - 1);
    const auto bucket = static_cast<size_t>(
        position_bucket(distance, config_.buckets, config_.max_bucket_distance));
    for (size_t h = 0; h < heads; ++h) bias[h * count + d] = distance_bias_[bucket * heads + h];
  }
  return bias;
}

// x = x + attention(norm(x)), x = x + W2 gelu(W1 norm(x))
void WavLm::run_layer(size_t index, Matrix x, ConstMatrix bias) {
  const Layer& w = layers_[index];
  attend(w, index, x, bias);
  show(x, concat("layer", index, ".after_attn"));
  const Matrix normed = work_->normed(), inner = work_->inner();
  ops_.layer_norm(x, w.norm2.weight, w.norm2.bias, eps_, false, normed);
  product(normed, w.up, ProductEnd::kGelu, inner);
  product(inner, w.down, ProductEnd::kAdd, x);
  show(x, concat("layer", index, ".out"));
  for (const Affine* affine : {&w.q, &w.k, &w.v, &w.out, &w.up, &w.down})
    file_.release(*affine->weight);
}

void WavLm::attend(const Layer& w, size_t index, Matrix x, ConstMatrix bias) {
  const Matrix n = work_->normed(), mixed = work_->mixed(), gate = work_->gate();
  const Matrix q = work_->qkv(0), k = work_->qkv(1), v = work_->qkv(2);
  ops_.layer_norm(x, w.norm1.weight, w.norm1.bias, eps_, false, n);
  show(n, concat("layer", index, ".ln1"));
  product(n, w.q, ProductEnd::kStore, q);
  product(n, w.k, ProductEnd::kStore, k);
  product(n, w.v, ProductEnd::kStore, v);
  ops_.gate(n, {w.gate_a, w.gate_b, w.bias_a, w.bias_b, w.gate_c}, gate);
  if (observer_) {
    std::vector<float> by_head(gate.rows() * gate.cols());
    for (size_t t = 0; t < gate.rows(); ++t) {
      for (size_t h = 0; h < gate.cols(); ++h) by_head[h * gate.rows() + t] = gate.at(t, h);
    }
    (*observer_)(concat("layer", index, ".gate"),
                 ConstMatrix(by_head.data(), gate.cols(), gate.rows()));
  }
  ops_.biased_attention(q, k, v, static_cast<size_t>(config_.heads), gate, bias, mixed);
  if (observer_) {
    product(mixed, w.out, ProductEnd::kStore, n);
    show(n, concat("layer", index, ".attn_out"));
  }
  product(mixed, w.out, ProductEnd::kAdd, x);
}

void WavLm::product(ConstMatrix x, const Affine& w, ProductEnd end, Matrix y) {
  ops_.product(x, file_matrix(*w.weight), precision_, w.bias, end, y);
}

// Means over the frames, then deviations with the divisor T - 1.
std::vector<double> WavLm::pool(ConstMatrix x) const {
  const size_t frames = x.rows(), width = x.cols();
  std::vector<float> host(frames * width);
  ops_.download(x, Matrix(host.data(), frames, width));
  std::vector<double> pooled(2 * width);
  for (size_t t = 0; t < frames; ++t) {
    for (size_t c = 0; c < width; ++c) pooled[c] += host[t * width + c];
  }
  for (size_t c = 0; c < width; ++c) pooled[c] /= static_cast<double>(frames);
  for (size_t t = 0; t < frames; ++t) {
    for (size_t c = 0; c < width; ++c) {
      const double off = host[t * width + c] - pooled[c];
      pooled[width + c] += off * off;
    }
  }
  for (size_t c = 0; c < width; ++c) {
    const double variance = pooled[width + c] / static_cast<double>(frames - 1);
    pooled[width + c] = std::sqrt(std::max(variance, 1e-10));
  }
  show_host({pooled.data(), width}, "pool_mean");
  show_host({pooled.data() + width, width}, "pool_std");
  return pooled;
}

std::vector<double> WavLm::run_head(const HeadLayer& w, std::span<const double> x,
                                    std::string_view name) const {
  std::vector<double> y(w.bias.size());
  for (size_t o = 0; o < y.size(); ++o) {
    double total = w.bias[o];
    for (size_t i = 0; i < x.size(); ++i) total += x[i] * w.weight[o * x.size() + i];
    y[o] = (std::max(total, 0.0) - w.mean[o]) * w.scale[o];
  }
  show_host(y, name);
  return y;
}

void WavLm::show(ConstMatrix values, std::string_view name) const {
  if (!observer_) return;
  std::vector<float> host(values.rows() * values.cols());
  const Matrix copy(host.data(), values.rows(), values.cols());
  ops_.download(values, copy);
  (*observer_)(name, copy);
}

void WavLm::show_host(std::span<const double> values, std::string_view name) const {
  if (!observer_) return;
  const std::vector<float> copy(values.begin(), values.end());
  (*observer_)(name, ConstMatrix(copy.data(), 1, copy.size()));
}

}  // namespace kani
