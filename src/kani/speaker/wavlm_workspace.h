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
    residual = ops.allocate(count * ops.row_stride(width));
    normed_ = ops.allocate(count * ops.row_stride(width));
    // The feed forward's inner rows, or q, k, v and the mix of values: never both.
    wide = ops.allocate(count * std::max({ops.row_stride(inner_width), 4 * ops.row_stride(width),
                                          ops.row_stride(feature_width)}));
    gates.resize(count * heads);
    capacity = count;
  }

  Matrix rows(float* data, size_t cols) const { return {data, frames, cols, ops.row_stride(cols)}; }
  Matrix x() const { return rows(residual->data(), width); }
  Matrix normed() const { return rows(normed_->data(), width); }
  Matrix features() const { return rows(wide->data(), feature_width); }
  Matrix inner() const { return rows(wide->data(), inner_width); }
  Matrix qkv(size_t part) const {
    return rows(wide->data() + part * frames * ops.row_stride(width), width);
  }
  Matrix mixed() const { return qkv(3); }
  Matrix gate() { return {gates.data(), frames, heads}; }

  EncoderOps& ops;
  size_t width, feature_width, inner_width, heads;
  size_t frames = 0, capacity = 0;
  std::unique_ptr<SignalMemory> residual, normed_, wide;
  std::vector<float> gates;
};

}  // namespace kani
