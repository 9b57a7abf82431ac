// streaming_encoder.h - a recording to frames of codes, in pieces of any length, exactly as if all
// of it had come at once.  Source: codec.md 3.6, 6.  Not here: files, resampling to the codec's
// rate, batches (each recording is encoded as if it were alone).
//
// The convolutions look ahead and repeat the edges of the recording, each those of its own input.
// So each layer keeps the columns that it still needs, makes a column as soon as everything right
// of it is there, and repeats an edge only where the recording truly starts and ends.  A column
// made is final: nothing is computed twice, and no seam can be heard or measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kani/codec/nanocodec_encoder.h"

namespace kani {

struct EncodedFrames {
  std::vector<int32_t> codes;  // [T, codebooks], frame by frame
  std::vector<float> latent;   // [T, latent_width()]: what was quantized
};

/// One recording after the other; memory does not depend on their length.  However the samples are
/// cut into calls, codes and latent are the same bits.  One thread at a time, which is also the
/// thread that uses the model's SignalOps.  Movable; `model` must outlive it.
class StreamingEncoder {
 public:
  /// 192 KB, as in the decoder (streaming_decoder.cc).
  static constexpr size_t kPieceFloats = 49152;

  /// A layer works on about `piece_floats` numbers at a time: a matter of caches alone, which
  /// changes no bit.  Throws Error(kOutOfMemory).
  explicit StreamingEncoder(const NanoCodecEncoder& model, size_t piece_floats = kPieceFloats);
  StreamingEncoder(StreamingEncoder&&) noexcept = default;
  StreamingEncoder& operator=(StreamingEncoder&&) noexcept = default;

  /// Mono samples at the codec's rate, nominally in [-1, 1]; none is fine.  Appends the frames that
  /// are ready, which are whole blocks of them some seconds late.
  /// Throws Error(kBadInput) naming the first sample that is NaN or infinite; the stream is then as
  /// before.  Throws Error(kBadInput) if numbers inside overflow, as they do only for samples far
  /// beyond any sound, and std::bad_alloc for `out`; then only reset() may follow.
  void push(std::span<const float> samples, EncodedFrames& out);
  /// The end of the recording: pads with zeros to whole frames and appends the frames that are
  /// left, so that there are ceil(samples / samples_per_frame) in all.  Then the stream is at the
  /// start again.  Throws Error(kBadInput) if there were no samples, and as push().
  void finish(EncodedFrames& out);
  /// Forgets the recording.
  void reset();

  /// Samples pushed since the start.
  uint64_t samples() const { return samples_; }
  /// Of what the stream keeps between calls; of everything that it holds.
  size_t state_bytes() const;
  size_t bytes() const;

  /// For tests and inspection: `tap(name, values [C, T])` is called with intermediate results in
  /// host memory, piece by piece in time.  Names: "pre_conv", "stage0.res", "stage0.down", …,
  /// "post_conv".
  using Tap = std::function<void(std::string_view name, ConstMatrix values)>;
  void set_tap(Tap tap) { tap_ = std::move(tap); }

 private:
  // The last columns of a signal, as far as its reader is not done with them.
  struct Past {
    Matrix columns;    // room for the most that is ever held
    size_t left = 0;   // copies of the first column before the start
    size_t right = 0;  // copies of the last column after the end
    size_t held = 0;   // 0: the signal has not started
  };
  struct BlockState {
    Past input, skip;
    Past sum;  // what waits until the two convolutions have caught up; unused in the first block
  };
  struct BranchState {
    std::vector<BlockState> blocks;
    size_t shift = 0;        // columns that it starts late, so that all branches end alike
    size_t first_delay = 0;  // of the first block
  };
  struct StageState {
    Matrix x;            // [C, history + piece]: columns already used, columns that gather
    size_t history = 0;  // columns that late branches still read
    size_t piece = 0;    // the stage runs when so many have gathered
    size_t delay = 0;    // columns by which its residual layer is behind
    std::vector<BranchState> branches;
    Past down;
    float* phases = nullptr;  // input of the downsampling convolution
    size_t gathered = 0;
    uint64_t seen = 0;  // columns of earlier runs
  };
  // Where a stage stands in one run: columns of its input before and after it.
  struct Step {
    uint64_t before, after;
    bool last;
    // The end of what a layer has done that is `delay` columns behind: before the run, after it.
    uint64_t from(uint64_t delay) const { return before > delay ? before - delay : 0; }
    uint64_t to(uint64_t delay) const { return last ? after : after > delay ? after - delay : 0; }
  };

  void plan(size_t piece_floats);
  void lay_out_state();
  void lay_out_work();
  size_t most_outputs(size_t stage) const;
  Matrix room(float* data, size_t rows, size_t cols) const;
  Matrix fresh(Matrix room, size_t cols) const { return room.cols(lead_, cols); }
  template <typename F>
  void for_each_past(F f);

  void gather(std::span<const float> samples, EncodedFrames& out);
  void run_samples(bool last, EncodedFrames& out);
  void feed(size_t stage, const CausalConv& conv, ConstMatrix in, bool last, EncodedFrames& out);
  void run_stage(size_t stage, bool last, EncodedFrames& out);
  size_t run_branch(size_t stage, size_t branch, const Step& step);
  void emit(const CausalConv& conv, ConstMatrix in, bool last, EncodedFrames& out);

  Matrix join(const Past& past, Matrix room, size_t count, bool last) const;
  void keep(Past& past, ConstMatrix columns, size_t count) const;
  size_t convolve(const CausalConv& conv, Past& past, ConstMatrix in, bool last, ConvOutput out);
  template <typename... Parts>
  void show(ConstMatrix values, const Parts&... name) const;

  const NanoCodecEncoder* model_;
  size_t lead_ = 0;  // columns in front of a room: at least the most that any Past holds
  size_t tail_ = 0;  // behind its columns: at least the copies at the end

  std::unique_ptr<SignalMemory> state_;
  Past pre_;
  std::vector<StageState> stages_;
  Past post_;
  std::vector<float> host_samples_;  // gather here
  size_t gathered_samples_ = 0;
  uint64_t samples_ = 0;

  // Room for one run of a stage.  A stage is done with its rooms when the next one starts.
  std::unique_ptr<SignalMemory> work_;
  float* pre_room_ = nullptr;
  float* activated_ = nullptr;  // what a first convolution reads
  float* inner_ = nullptr;      // what a second convolution reads
  float* sums_[2] = {};         // a branch's running sum before and after a block
  float* mean_ = nullptr;       // of the branches
  float* down_ = nullptr;       // result of the last downsampling
  float* post_room_ = nullptr;
  float* latent_ = nullptr;
  std::vector<float> host_latent_;

  Tap tap_;
};

/// The whole recording at once.  Throws as push() and finish().
EncodedFrames encode_recording(const NanoCodecEncoder& model, std::span<const float> samples);

}  // namespace kani
