// narrator.h - the pipeline itself: chunks of text in, samples out, pulled a few frames at a time.
//   chunk -> prompt -> frames (lm/) -> samples (codec/) -> volume, speed, pauses
// Each chunk starts from a fresh prompt, a fresh decoder and a seed of its own, so that it sounds
// the same alone.  That lets several be written at once (SpeechRequest::batch), and lets frames
// become sound on another thread while the next are written.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <vector>

#include "kani/audio/stretch.h"
#include "kani/base/cancel.h"
#include "kani/codec/streaming_decoder.h"
#include "kani/engine/codec_worker.h"
#include "kani/engine/model.h"
#include "kani/lm/generator.h"
#include "kani/text/text.h"

namespace kani {

/// The tag of the request; else the language of its voice, if the model has a tag for it; else the
/// model's kani_language; else empty.
std::string speech_language(const LoadedModel& model, const SpeechRequest& request);

/// How a text is cut for this request.
ChunkOptions chunk_options(const LoadedModel& model, const SpeechRequest& request);

/// One request.  One thread at a time; `model` and `cancel` must outlive it.
class Narrator {
 public:
  /// Checks the request's settings.  Throws Error(kInvalidArgument, kBadInput).
  Narrator(LoadedModel& model, const SpeechRequest& request, const CancelToken* cancel);
  Narrator(const Narrator&) = delete;
  Narrator& operator=(const Narrator&) = delete;
  ~Narrator();

  /// Chunks to speak after those that are waiting; `source_offset` is added to their offsets.
  void add(std::vector<Chunk> chunks, size_t source_offset);

  /// Replaces `samples` by the next ones.  False: all chunks are spoken.  Throws Error(kCancelled).
  bool next(std::vector<float>& samples);

  const SpeechResult& result() const { return result_; }
  SpeechProgress progress() const;

 private:
  // A chunk whose frames are being written, or are written and not yet all spoken.
  struct Utterance {
    Chunk chunk;
    std::optional<FrameGenerator> generator;  // until the last frame
    std::vector<int32_t> codes;               // of all frames
    size_t spoken = 0;                        // codes given to the codec
    bool truncated = false;
    uint64_t tokens = 0;
  };

  void check_cancelled() const;
  void begin_writing();
  size_t chunks_in_writing() const;
  bool may_begin_writing() const;
  bool may_write() const;
  void write_frames();
  void begin_chunk();
  void end_chunk(std::vector<float>& samples);
  const Chunk* next_chunk() const;
  std::optional<double> next_silence();
  bool decode_group();
  void start_group();
  void finish_group();
  size_t frames_waiting() const;
  void emit(std::vector<float>& samples);
  void append_silence(double seconds, std::vector<float>& samples) const;
  double elapsed() const;

  LoadedModel& model_;
  SpeechRequest request_;
  const CancelToken* cancel_;
  Sampling sampling_;
  int max_frames_;
  std::deque<Chunk> waiting_;
  size_t total_chunks_ = 0;
  size_t characters_total_ = 0, characters_done_ = 0;
  size_t chunks_begun_ = 0;
  // In the order of the text; the first is being spoken if speaking_.
  std::deque<Utterance> utterances_;
  bool speaking_ = false;
  GenerationBatch batch_;
  std::vector<FrameGenerator*> writing_;
  StreamingDecoder decoder_;
  TimeStretcher stretcher_;
  std::vector<int32_t> codes_;  // frames of the group that becomes sound
  std::vector<float> raw_;      // their samples
  std::future<void> decoding_;  // valid while it does
  size_t group_frames_ = 1;
  bool gap_due_ = false;        // between two chunks
  bool silence_given_ = false;  // the pause before the next chunk
  double pause_after_s_ = 0;    // asked for by the text
  uint64_t samples_out_ = 0;
  std::chrono::steady_clock::time_point start_;
  SpeechResult result_;
};

}  // namespace kani
