// streaming_decoder.h - frames of codes to sound, any number at a time, exactly as if all had come
// at once.  Source: codec.md 4, 5.  Not here: the voice, the text, resampling, files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kani/codec/nanocodec_decoder.h"

namespace kani {

/// One stream: the last columns that each layer saw, and room for one block of work.  Frame t
/// becomes samples S*t … S*t + S-1 at once; there is no look-ahead and nothing to flush.
/// However the frames are cut into calls, the samples are the same bits.  One thread at a time,
/// which is also the thread that uses the model's SignalOps.  Movable; `model` must outlive it.
class StreamingDecoder {
 public:
  /// Throws Error(kOutOfMemory).
  explicit StreamingDecoder(const NanoCodecDecoder& model);
  StreamingDecoder(StreamingDecoder&&) noexcept = default;
  StreamingDecoder& operator=(StreamingDecoder&&) noexcept = default;

  /// codes [T, codebooks], frame by frame; samples [T * samples_per_frame], in [-1, 1].  T may be
  /// 0. Throws Error(kInvalidArgument) if the sizes disagree, Error(kBadInput) for a code out of
  /// range, naming frame, codebook, code and limit; the stream is then as before.
  void push(std::span<const int32_t> codes, std::span<float> samples);
  std::vector<float> push(std::span<const int32_t> codes);

  /// Back to the start: the next frame is frame 0.
  void reset();

  /// Frames pushed since the start.
  uint64_t frames() const { return frames_; }
  /// Of the history alone; of everything the stream holds.
  size_t state_bytes() const;
  size_t bytes() const;

  /// For tests and inspection: `tap(name, values [C, T])` is called with every intermediate result
  /// in host memory, piece by piece in time.  Names: "dequantized", "pre_conv", "stage0.act",
  /// ".up",
  /// ".branch0.block0.input_conv", ".branch0.block0", ".branch0", ".res", "post_act", "post_conv".
  using Tap = std::function<void(std::string_view name, ConstMatrix values)>;
  void set_tap(Tap tap);

 private:
  // A signal with space for history in front of its columns.
  class Room {
   public:
    Room(float* data, size_t rows, size_t lead, size_t cols, size_t stride)
        : all_(data, rows, lead + cols, stride), lead_(lead) {}
    Matrix fresh() const { return all_.cols(lead_, all_.cols() - lead_); }
    Matrix with(size_t history) const {
      return all_.cols(lead_ - history, all_.cols() - lead_ + history);
    }

   private:
    Matrix all_;
    size_t lead_;
  };
  struct BlockState {
    Matrix input;  // last columns that input_conv read
    Matrix skip;
  };
  struct StageState {
    Matrix up;                                    // last column that the upsampling read
    std::vector<std::vector<BlockState>> blocks;  // [branch][block]
    size_t piece = 0;                             // most input columns in one piece
    size_t column = 0;                            // output columns so far
    float* out = nullptr;                         // room for the result of one piece
  };

  void lay_out_state();
  void lay_out_work();
  Room room(float* data, size_t rows, size_t cols) const;
  Matrix plain(float* data, size_t rows, size_t cols) const;

  void decode_block(std::span<const int32_t> codes, std::span<float> samples);
  void run_from(size_t stage, ConstMatrix x, std::span<float> samples);
  void run_stage(size_t stage, ConstMatrix x, Matrix out);
  void run_branch(size_t stage, size_t branch, ConstMatrix x, Matrix out);
  void finish(ConstMatrix x, std::span<float> samples);
  void convolve(const CausalConv& conv, Matrix past, const Room& in, const ConvOutput& out);

  template <typename... Parts>
  void show(ConstMatrix values, const Parts&... name) const;
  template <typename... Parts>
  void probe(const CausalConv& conv, const Room& in, const ConvOutput& result,
             const Parts&... name) const;

  const NanoCodecDecoder* model_;
  std::unique_ptr<SignalMemory> state_;
  Matrix pre_past_;
  Matrix post_past_;
  std::vector<StageState> stages_;

  // Room for one block of work.  A stage is done with its rooms when the next one starts on its
  // result, so that all of them use the same memory while it is in the caches.
  std::unique_ptr<SignalMemory> work_;
  size_t lead_ = 0;  // columns in front of a room, at least the longest history
  float* latent_ = nullptr;
  float* first_ = nullptr;      // result of pre_conv
  float* x_ = nullptr;          // what the branches start from
  float* y_ = nullptr;          // a branch's running sum
  float* between_ = nullptr;    // a first convolution's result, if the second reads cells
  float* activated_ = nullptr;  // what a first convolution reads
  float* inner_ = nullptr;      // what a second convolution reads
  std::vector<float> host_latent_;

  Tap tap_;
  std::unique_ptr<SignalMemory> probed_;
  uint64_t frames_ = 0;
};

/// The whole recording at once.
std::vector<float> decode_frames(const NanoCodecDecoder& model, std::span<const int32_t> codes);

}  // namespace kani
