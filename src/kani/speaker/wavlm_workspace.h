// wavlm_workspace.h - the buffers of one pass of the speaker encoder, named, sized from the number
// of frames.  Private to speaker/.
#pragma once

#include <memory>
#include <vector>

#include "kani/speaker/wavlm.h"

namespace kani {

struct WavLm::Workspace {
  Workspace(const SpeakerConfig& config, EncoderOps& operations)
      : ops(operations),
        width(static_cast<size_t>(config.hidden_size)),
        feature_width(static_cast<size_t>(config.conv_dims.back())),
        inner_width(static_cast<size_t>(config.intermediate_size)),
        heads(static_cast<size_t>(config.heads)) {}

  void fit(size_t count) {
    frames = count;
    if (count <= capacity) return;
    residual = ops.allocate(count * width);
    normed_ = ops.allocate(count * width);
    // The feed forward's inner rows, or q, k, v and the mix of values: never both.
    wide = ops.allocate(count * std::max({inner_width, 4 * width, feature_width}));
    gates.resize(count * heads);
    capacity = count;
  }

  Matrix x() const { return {residual->data(), frames, width}; }
  Matrix normed() const { return {normed_->data(), frames, width}; }
  Matrix features() const { return {wide->data(), frames, feature_width}; }
  Matrix inner() const { return {wide->data(), frames, inner_width}; }
  Matrix qkv(size_t part) const { return {wide->data() + part * frames * width, frames, width}; }
  Matrix mixed() const { return qkv(3); }
  Matrix gate() { return {gates.data(), frames, heads}; }

  EncoderOps& ops;
  size_t width, feature_width, inner_width, heads;
  size_t frames = 0, capacity = 0;
  std::unique_ptr<SignalMemory> residual, normed_, wide;
  std::vector<float> gates;
};

}  // namespace kani
