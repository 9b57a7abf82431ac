// engine.cc - the public Engine: speak and the questions about a loaded model.
#include <cmath>

#include "kani/base/utf8.h"
#include "kani/engine/engine_impl.h"
#include "kani/engine/text_blocks.h"

namespace kani {

Engine::Engine(const EngineOptions& options) : impl_(std::make_unique<Impl>(load_model(options))) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

void check_utf8(std::string_view text) {
  if (const auto offset = find_invalid_utf8(text)) {
    throw Error(ErrorCode::kBadInput, "text is not valid UTF-8 at byte ", *offset);
  }
}

namespace {

// The narrator knows the pieces of the text so far; the rest is estimated from its length.
SpeechProgress progress_of(const Narrator& narrator, size_t known_bytes, size_t all_bytes) {
  SpeechProgress progress = narrator.progress();
  const double share = static_cast<double>(known_bytes) / static_cast<double>(all_bytes);
  progress.fraction *= share;
  progress.segments =
      static_cast<size_t>(std::llround(static_cast<double>(progress.segments) / share));
  return progress;
}

}  // namespace

SpeechResult Engine::speak(const SpeechRequest& request, const SampleSink& sink,
                           const ProgressSink& progress, const CancelToken* cancel) {
  check_utf8(request.text);
  Narrator narrator(impl_->model, request, cancel);
  const ChunkOptions options = chunk_options(impl_->model, request);
  TextBlocks blocks(request.text, options.normalize.language);
  size_t known = 0;  // bytes of the text that are cut into pieces
  const auto add_block = [&] {
    while (const auto block = blocks.next()) {
      known = block->end;
      std::vector<Chunk> chunks = make_chunks(
          std::string_view(request.text).substr(block->begin, block->end - block->begin), options);
      if (chunks.empty()) continue;
      narrator.add(std::move(chunks), block->begin);
      return true;
    }
    return false;
  };
  if (!add_block()) throw Error(ErrorCode::kBadInput, "there is nothing to speak in the text");
  std::vector<float> samples;
  bool stopped = false;
  while (!stopped) {
    if (!narrator.next(samples)) {
      if (!add_block()) break;
      continue;
    }
    stopped = !sink(samples);
    if (progress) progress(progress_of(narrator, known, request.text.size()));
  }
  SpeechResult result = narrator.result();
  result.stopped = stopped;
  return result;
}

Voice Engine::voice(const std::string& name) const { return impl_->model.voices->load(name); }

const VoiceLibrary& Engine::voices() const { return *impl_->model.voices; }

int Engine::sample_rate_hz() const { return impl_->model.codec_config.sample_rate_hz; }
const ModelInfo& Engine::info() const { return impl_->model.info; }
std::string Engine::backend_name() const { return impl_->model.backend->name(); }
std::string Engine::codec_type() const {
  return std::string(signal_type_name(impl_->model.codec->precision()));
}

SamplingOptions Engine::effective_sampling(const SamplingOptions& asked) const {
  return resolve_sampling(impl_->model.defaults, asked);
}

}  // namespace kani
