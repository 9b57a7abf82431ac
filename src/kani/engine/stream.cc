// stream.cc - SpeechStream: text that arrives bit by bit is spoken sentence by sentence.
#include <string>

#include "kani/base/utf8.h"
#include "kani/engine/engine_impl.h"

namespace kani {

class SpeechStream::Impl {
 public:
  Impl(LoadedModel& model, const SpeechRequest& request)
      : options_(chunk_options(model, request)), narrator_(model, request, &cancel_) {
    push_text(request.text);
  }

  void push_text(std::string_view text) {
    pending_ += text;
    check_utf8(std::string_view(pending_).substr(0, whole_characters()));
    take_sentences();
  }

  void flush() {
    check_utf8(pending_);
    speak_first(pending_.size());
  }

  bool next(std::vector<float>& samples) { return narrator_.next(samples); }
  void cancel() noexcept { cancel_.cancel(); }
  const SpeechResult& result() const { return narrator_.result(); }

 private:
  // Bytes up to a UTF-8 sequence that may still be completed (at most three bytes long).
  size_t whole_characters() const {
    const size_t size = pending_.size();
    for (size_t back = 1; back <= 3 && back <= size; ++back) {
      const auto lead = static_cast<unsigned char>(pending_[size - back]);
      if (lead < 0x80) return size;
      if (lead < 0xC0) continue;
      const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
      return length > back ? size - back : size;
    }
    return size;
  }

  // Everything up to the last sentence, which may go on.
  void take_sentences() {
    const std::string_view text = std::string_view(pending_).substr(0, whole_characters());
    const std::vector<TextRange> sentences = split_sentences(text, options_.normalize.language);
    if (sentences.size() > 1) speak_first(sentences.back().begin);
  }

  void speak_first(size_t bytes) {
    narrator_.add(make_chunks(std::string_view(pending_).substr(0, bytes), options_), taken_);
    taken_ += bytes;
    pending_.erase(0, bytes);
  }

  CancelToken cancel_;
  ChunkOptions options_;
  Narrator narrator_;
  std::string pending_;
  size_t taken_ = 0;  // bytes given to the narrator so far
};

SpeechStream::SpeechStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SpeechStream::SpeechStream(SpeechStream&&) noexcept = default;
SpeechStream& SpeechStream::operator=(SpeechStream&&) noexcept = default;
SpeechStream::~SpeechStream() = default;
void SpeechStream::push_text(std::string_view text) { impl_->push_text(text); }
void SpeechStream::flush() { impl_->flush(); }
bool SpeechStream::next(std::vector<float>& samples) { return impl_->next(samples); }
void SpeechStream::cancel() noexcept { impl_->cancel(); }
const SpeechResult& SpeechStream::result() const { return impl_->result(); }

SpeechStream Engine::stream(const SpeechRequest& request) {
  return SpeechStream(std::make_unique<SpeechStream::Impl>(impl_->model, request));
}

}  // namespace kani
