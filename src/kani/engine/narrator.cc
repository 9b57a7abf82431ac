// narrator.cc - see narrator.h.
#include "kani/engine/narrator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kani/base/error.h"
#include "kani/base/log.h"
#include "kani/base/random.h"
#include "kani/base/utf8.h"

namespace kani {
namespace {

// Frames are handed to the codec one at a time at first, so that sound begins at once, then in
// groups: its wide stages read 126 MB of weights for each call, whatever the number of frames.
constexpr size_t kLargestGroup = 8;
// Frames that may be written ahead of the sound that is being made.
constexpr size_t kLargestLead = 4 * kLargestGroup;

uint64_t chunk_seed(uint64_t seed, size_t chunk) {
  return splitmix64(seed + 0x632BE59BD9B4E019u * chunk);
}

// Each concern once: a server has many requests, and whoever sends them chooses the tags.
void warn_of_tag(LoadedModel& model, const std::string& tag) {
  constexpr size_t kMostWarnings = 64;
  const std::string concern = tag_concern(model.config(), tag);
  if (concern.empty() || model.warned.size() >= kMostWarnings) return;
  if (model.warned.insert(concern).second) log_warning("engine", concern);
}

}  // namespace

std::string speech_language(const LoadedModel& model, const SpeechRequest& request) {
  if (!request.language.empty()) return request.language;
  const std::optional<Voice>& voice = request.voice ? request.voice : model.default_voice;
  if (voice && !request.random_voice && knows_tag(model.config(), voice->language))
    return voice->language;
  return model.defaults.language.value_or("");
}

ChunkOptions chunk_options(const LoadedModel& model, const SpeechRequest& request) {
  ChunkOptions options;
  if (const std::string language = speech_language(model, request); !language.empty())
    options.normalize.language = language;
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
      batch_(*model.lm),
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
  require(request.batch >= 1 && request.batch <= 64, "batch is ", request.batch,
          ", must be 1 to 64");
  request_.language = speech_language(model, request);
  warn_of_tag(model, request_.language);
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

Narrator::~Narrator() {
  if (decoding_.valid()) decoding_.wait();
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

// Takes the next chunk of the text into the batch.
void Narrator::begin_writing() {
  Utterance& utterance = utterances_.emplace_back();
  utterance.chunk = std::move(waiting_.front());
  waiting_.pop_front();
  const AddedTokens added =
      request_.match_added_tokens ? AddedTokens::kMatch : AddedTokens::kPlainText;
  const std::vector<int32_t> prompt =
      build_prompt(model_.layout, *model_.tokenizer,
                   tagged_text(model_.config(), utterance.chunk.text, request_.language), added,
                   /*with_speech_start=*/true);
  const std::span<const float> voice =
      request_.voice ? std::span<const float>(request_.voice->values) : std::span<const float>();
  utterance.generator.emplace(*model_.lm, prompt, voice,
                              GenerationSettings{.sampling = sampling_,
                                                 .seed = chunk_seed(result_.seed, chunks_begun_++),
                                                 .max_frames = max_frames_});
}

size_t Narrator::chunks_in_writing() const {
  return static_cast<size_t>(
      std::count_if(utterances_.begin(), utterances_.end(),
                    [](const Utterance& u) { return u.generator.has_value(); }));
}

// Others join the first chunk as soon as that has sounded, and take the place of those that end.
bool Narrator::may_begin_writing() const {
  const auto most = static_cast<size_t>(request_.batch);
  return samples_out_ > 0 && !waiting_.empty() && utterances_.size() < most + 1 &&
         chunks_in_writing() < most;
}

// One frame for every chunk that is being written.
void Narrator::write_frames() {
  while (may_begin_writing()) begin_writing();
  writing_.clear();
  for (Utterance& utterance : utterances_) {
    if (utterance.generator) writing_.push_back(&*utterance.generator);
  }
  batch_.advance(writing_);
  for (Utterance& utterance : utterances_) {
    if (!utterance.generator) continue;
    if (const auto frame = utterance.generator->frame()) {
      utterance.codes.insert(utterance.codes.end(), frame->begin(), frame->end());
    } else {
      utterance.truncated = utterance.generator->limit_reached();
      utterance.tokens = utterance.generator->tokens();
      utterance.generator.reset();
    }
  }
}

bool Narrator::may_write() const {
  if (utterances_.front().generator) return frames_waiting() < kLargestLead;
  return chunks_in_writing() > 0 || may_begin_writing();
}

// Frames of the first chunk that are written and not yet given to the codec.
size_t Narrator::frames_waiting() const {
  const Utterance& first = utterances_.front();
  return (first.codes.size() - first.spoken) / static_cast<size_t>(model_.layout.codebooks);
}

void Narrator::begin_chunk() {
  if (utterances_.empty()) begin_writing();
  speaking_ = true;
  decoder_.reset();
  group_frames_ = 1;
  while (group_frames_ < kLargestGroup && 2 * group_frames_ <= frames_waiting()) group_frames_ *= 2;
  const Chunk& chunk = utterances_.front().chunk;
  result_.segments.push_back({.text = chunk.text,
                              .source_begin = chunk.source_begin,
                              .source_end = chunk.source_end,
                              .start_s = result_.sound_s,
                              .end_s = result_.sound_s});
}

// Gives the next frames to the codec if there are enough of them, or no more will come.
void Narrator::start_group() {
  Utterance& first = utterances_.front();
  const size_t frames = std::min(frames_waiting(), group_frames_);
  if (frames == 0 || (frames < group_frames_ && first.generator)) return;
  const size_t codes = frames * static_cast<size_t>(model_.layout.codebooks);
  codes_.assign(first.codes.begin() + static_cast<ptrdiff_t>(first.spoken),
                first.codes.begin() + static_cast<ptrdiff_t>(first.spoken + codes));
  first.spoken += codes;
  raw_.resize(frames * model_.codec->samples_per_frame());
  group_frames_ = std::min(group_frames_ * 2, kLargestGroup);
  const auto decode = [this] { decoder_.push(codes_, raw_); };
  if (model_.codec_worker) {
    decoding_ = model_.codec_worker->start(decode);
  } else {
    std::packaged_task<void()> task(decode);
    decoding_ = task.get_future();
    task();
  }
}

void Narrator::finish_group() {
  if (model_.codec_worker) return model_.codec_worker->wait(decoding_);
  decoding_.get();
}

// The next few frames' samples into raw_.  False at the end of the chunk.
bool Narrator::decode_group() {
  while (true) {
    check_cancelled();
    if (!decoding_.valid()) start_group();
    if (!decoding_.valid()) {
      if (!utterances_.front().generator) return false;
      write_frames();
      continue;
    }
    // The first sound is waited for with all threads; later ones are fetched between two frames.
    const bool ready = decoding_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    if (!ready && samples_out_ > 0 && may_write()) {
      write_frames();
      continue;
    }
    finish_group();
    return true;
  }
}

void Narrator::end_chunk(std::vector<float>& samples) {
  const Utterance& spoken = utterances_.front();
  result_.segments.back().truncated = spoken.truncated;
  result_.tokens += spoken.tokens;
  stretcher_.finish(samples);
  characters_done_ += utf8_length(spoken.chunk.text);
  gap_due_ = true;
  pause_after_s_ = spoken.chunk.pause_after_s;
  utterances_.pop_front();
  speaking_ = false;
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

const Chunk* Narrator::next_chunk() const {
  if (!utterances_.empty()) return &utterances_.front().chunk;
  return waiting_.empty() ? nullptr : &waiting_.front();
}

// Seconds of silence before the next chunk, 0 once they were given; nothing if there is no more to
// say.  A pause that the text asks for is kept at its very end too.
std::optional<double> Narrator::next_silence() {
  double seconds = std::exchange(pause_after_s_, 0.0);
  const Chunk* chunk = next_chunk();
  if (chunk == nullptr) return seconds > 0 ? std::optional(seconds) : std::nullopt;
  if (gap_due_) {
    gap_due_ = false;
    seconds += request_.sentence_silence_s;
  }
  if (std::exchange(silence_given_, true)) return seconds;
  return seconds + chunk->pause_before_s;
}

bool Narrator::next(std::vector<float>& samples) {
  check_cancelled();
  samples.clear();
  while (samples.empty()) {
    if (!speaking_) {
      const std::optional<double> silence = next_silence();
      if (!silence) return false;
      append_silence(*silence, samples);
      if (!samples.empty()) break;
      begin_chunk();
      silence_given_ = false;
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
  if (speaking_) result_.segments.back().end_s = result_.sound_s;
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
