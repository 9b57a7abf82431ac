// narrator.cc - see narrator.h.
#include "kani/engine/narrator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/base/utf8.h"

namespace kani {
namespace {

// Frames are handed to the codec one at a time at first, so that sound begins at once, then in
// groups: its wide stages read 126 MB of weights for each call, whatever the number of frames.
constexpr size_t kLargestGroup = 8;

uint64_t chunk_seed(uint64_t seed, size_t chunk) {
  return splitmix64(seed + 0x632BE59BD9B4E019u * chunk);
}

}  // namespace

ChunkOptions chunk_options(const LoadedModel& model, const SpeechRequest& request) {
  ChunkOptions options;
  if (!request.language.empty()) options.normalize.language = request.language;
  options.normalize.spell_numbers = request.normalize_text;
  options.normalize.strip_markdown = request.strip_markdown;
  if (const auto characters = model.defaults.chunk_characters) {
    options.max_length = static_cast<size_t>(*characters);
    options.target_length = std::min(options.target_length, options.max_length);
  }
  return options;
}

Narrator::Narrator(LoadedModel& model, const SpeechRequest& request, const CancelToken* cancel)
    : model_(model),
      request_(request),
      cancel_(cancel),
      decoder_(*model.codec),
      stretcher_(request.speed, model.codec_config.sample_rate_hz),
      start_(std::chrono::steady_clock::now()) {
  const SamplingOptions sampling = resolve_sampling(model.defaults, request.sampling);
  sampling_ = sampler_settings(sampling);
  sampling_.validate();
  require(*sampling.max_new_tokens >= 1, "the token limit is ", *sampling.max_new_tokens,
          ", must be 1 or more");
  max_frames_ = std::max(1, *sampling.max_new_tokens / model.layout.codebooks);
  require(request.volume >= 0 && request.volume <= 4, "volume is ", request.volume,
          ", must be 0 to 4");
  require(request.sentence_silence_s >= 0 && request.sentence_silence_s <= 60,
          "silence between sentences is ", request.sentence_silence_s, " s, must be 0 to 60");
  result_.seed = request.sampling.seed.value_or(random_seed());
  if (request_.random_voice) {
    request_.voice.reset();
  } else if (!request_.voice) {
    request_.voice = model.default_voice;
  }
  if (request_.voice && !model.lm->accepts_voice()) {
    throw Error(ErrorCode::kBadInput, "this model takes no voice");
  }
}

void Narrator::add(std::vector<Chunk> chunks, size_t source_offset) {
  for (Chunk& chunk : chunks) {
    chunk.source_begin += source_offset;
    chunk.source_end += source_offset;
    characters_total_ += utf8_length(chunk.text);
    waiting_.push_back(std::move(chunk));
    ++total_chunks_;
  }
}

double Narrator::elapsed() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void Narrator::append_silence(double seconds, std::vector<float>& samples) const {
  const double rate = model_.codec_config.sample_rate_hz;
  samples.resize(samples.size() + static_cast<size_t>(std::lround(seconds * rate)));
}

void Narrator::begin_chunk() {
  chunk_ = std::move(waiting_.front());
  waiting_.pop_front();
  const size_t index = result_.segments.size();
  const AddedTokens added =
      request_.match_added_tokens ? AddedTokens::kMatch : AddedTokens::kPlainText;
  const std::vector<int32_t> prompt =
      build_prompt(model_.layout, *model_.tokenizer,
                   tagged_text(model_.config(), chunk_.text, request_.language), added,
                   /*with_speech_start=*/true);
  const std::span<const float> voice =
      request_.voice ? std::span<const float>(request_.voice->values) : std::span<const float>();
  generator_.emplace(*model_.lm, prompt, voice,
                     GenerationSettings{.sampling = sampling_,
                                        .seed = chunk_seed(result_.seed, index),
                                        .max_frames = max_frames_});
  decoder_.reset();
  group_frames_ = 1;
  result_.segments.push_back({.text = chunk_.text,
                              .source_begin = chunk_.source_begin,
                              .source_end = chunk_.source_end,
                              .start_s = result_.sound_s,
                              .end_s = result_.sound_s});
}

// Generates and decodes the next few frames into raw_.  False at the end of the chunk.
bool Narrator::decode_group() {
  codes_.clear();
  size_t frames = 0;
  while (frames < group_frames_) {
    check_cancelled();
    const auto frame = generator_->next();
    if (!frame) break;
    codes_.insert(codes_.end(), frame->begin(), frame->end());
    ++frames;
  }
  group_frames_ = std::min(group_frames_ * 2, kLargestGroup);
  if (frames == 0) return false;
  raw_.resize(frames * model_.codec->samples_per_frame());
  decoder_.push(codes_, raw_);
  return true;
}

void Narrator::end_chunk(std::vector<float>& samples) {
  SpeechSegment& segment = result_.segments.back();
  segment.truncated = generator_->limit_reached();
  result_.tokens += generator_->tokens();
  generator_.reset();
  stretcher_.finish(samples);
  characters_done_ += utf8_length(chunk_.text);
  gap_due_ = true;
  pause_after_s_ = chunk_.pause_after_s;
}

// Volume, counts, times.
void Narrator::emit(std::vector<float>& samples) {
  if (request_.volume != 1.0) {
    const auto factor = static_cast<float>(request_.volume);
    for (float& sample : samples) sample = std::clamp(sample * factor, -1.0F, 1.0F);
  }
  if (!samples.empty() && samples_out_ == 0) result_.first_sound_s = elapsed();
  samples_out_ += samples.size();
  result_.sound_s = static_cast<double>(samples_out_) / model_.codec_config.sample_rate_hz;
  result_.elapsed_s = elapsed();
}

void Narrator::check_cancelled() const {
  if (cancel_ != nullptr && cancel_->cancelled()) throw Error(ErrorCode::kCancelled, "cancelled");
}

// Seconds of silence before the next chunk, 0 once they were given; nothing if there is no more to
// say.  A pause that the text asks for is kept at its very end too.
std::optional<double> Narrator::next_silence() {
  double seconds = std::exchange(pause_after_s_, 0.0);
  if (waiting_.empty()) return seconds > 0 ? std::optional(seconds) : std::nullopt;
  if (gap_due_) {
    gap_due_ = false;
    seconds += request_.sentence_silence_s;
  }
  return seconds + std::exchange(waiting_.front().pause_before_s, 0.0);
}

bool Narrator::next(std::vector<float>& samples) {
  check_cancelled();
  samples.clear();
  while (samples.empty()) {
    if (!generator_) {
      const std::optional<double> silence = next_silence();
      if (!silence) return false;
      append_silence(*silence, samples);
      if (!samples.empty()) break;
      begin_chunk();
    }
    if (decode_group()) {
      stretcher_.push(raw_, samples);
    } else {
      end_chunk(samples);
      emit(samples);
      result_.segments.back().end_s = result_.sound_s;
      if (!samples.empty()) return true;
      continue;
    }
  }
  emit(samples);
  if (generator_) result_.segments.back().end_s = result_.sound_s;
  return true;
}

SpeechProgress Narrator::progress() const {
  const size_t spoken = result_.segments.size();
  SpeechProgress progress;
  progress.segment = spoken == 0 ? 0 : spoken - 1;
  progress.segments = total_chunks_;
  progress.sound_s = result_.sound_s;
  progress.elapsed_s = result_.elapsed_s;
  progress.fraction = characters_total_ == 0 ? 1.0
                                             : static_cast<double>(characters_done_) /
                                                   static_cast<double>(characters_total_);
  return progress;
}

}  // namespace kani
