// engine.cc - the public Engine: speak and the questions about a loaded model.
#include "kani/base/utf8.h"
#include "kani/engine/engine_impl.h"

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

SpeechResult Engine::speak(const SpeechRequest& request, const SampleSink& sink,
                           const ProgressSink& progress, const CancelToken* cancel) {
  check_utf8(request.text);
  Narrator narrator(impl_->model, request, cancel);
  std::vector<Chunk> chunks = make_chunks(request.text, chunk_options(impl_->model, request));
  if (chunks.empty()) throw Error(ErrorCode::kBadInput, "there is nothing to speak in the text");
  narrator.add(std::move(chunks), 0);
  std::vector<float> samples;
  bool stopped = false;
  while (!stopped && narrator.next(samples)) {
    stopped = !sink(samples);
    if (progress) progress(narrator.progress());
  }
  SpeechResult result = narrator.result();
  result.stopped = stopped;
  return result;
}

Voice Engine::voice(const std::string& name_or_path) const {
  return impl_->model.voices->load(name_or_path, impl_->model.voice_length());
}

int Engine::sample_rate_hz() const { return impl_->model.codec_config.sample_rate_hz; }
const ModelInfo& Engine::info() const { return impl_->model.info; }
std::string Engine::backend_name() const { return impl_->model.backend->name(); }

SamplingOptions Engine::effective_sampling(const SamplingOptions& asked) const {
  return resolve_sampling(impl_->model.defaults, asked);
}

}  // namespace kani
