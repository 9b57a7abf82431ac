// eval_hearing.cc - see eval_hearing.h.
#include "apps/kani/eval_hearing.h"

#include <algorithm>
#include <exception>
#include <memory>

#include "apps/kani/child_process.h"
#include "apps/kani/signals.h"
#include "kani/base/error.h"
#include "kani/base/log.h"
#include "kani/base/sha256.h"
#include "kani/base/utf8.h"

namespace kani::cli {
namespace {

constexpr int kAttempts = 2;

Deadline in_seconds(double seconds) {
  return std::chrono::steady_clock::now() +
         std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

/// One line, blanks folded.
std::string tidy(const std::string& text) {
  std::string out;
  for (const char c : replace_invalid_utf8(text)) {
    const bool blank = static_cast<unsigned char>(c) <= ' ';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : c;
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::vector<std::string> filled(std::vector<std::string> command, const std::string& path) {
  for (std::string& word : command) {
    for (size_t at = 0; (at = word.find("{wav}", at)) != std::string::npos; at += path.size())
      word.replace(at, 5, path);
  }
  return command;
}

}  // namespace

Hearing::Hearing(const HearingOptions& options, EvalJournal& journal)
    : options_(options), journal_(journal) {
  if (!listens()) return;
  for (int i = 0; i < options_.jobs; ++i) threads_.emplace_back([this] { work(); });
}

Hearing::~Hearing() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Hearing::submit(const std::filesystem::path& sound) {
  if (!listens()) return;
  {
    const std::lock_guard lock(mutex_);
    if (fatal_) std::rethrow_exception(fatal_);
    waiting_.push_back(sound);
  }
  changed_.notify_all();
}

void Hearing::finish() {
  if (!listens()) return;
  std::unique_lock lock(mutex_);
  while (!fatal_ && (busy_ > 0 || !waiting_.empty()) && !cancel_token().cancelled())
    changed_.wait_for(lock, std::chrono::milliseconds(100));
  if (cancel_token().cancelled()) throw Error(ErrorCode::kCancelled, "interrupted");
  if (fatal_) std::rethrow_exception(fatal_);
  if (first_failure_ && texts_.empty()) std::rethrow_exception(first_failure_);
}

std::optional<std::string> Hearing::heard(const std::filesystem::path& sound) const {
  const std::lock_guard lock(mutex_);
  const auto at = texts_.find(sound.string());
  return at == texts_.end() ? std::nullopt : std::optional(at->second);
}

std::string Hearing::key(const std::filesystem::path& sound) const {
  return key_of(
      {{"heard", sha256_hex(sound)}, {"by", options_.command}, {"batch", options_.batch}});
}

void Hearing::work() {
  std::unique_ptr<ChildProcess> own;  // with --recognizer-batch
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closed_ || fatal_ || !waiting_.empty(); });
    if (closed_ || fatal_) return;
    const std::filesystem::path sound = std::move(waiting_.front());
    waiting_.pop_front();
    ++busy_;
    lock.unlock();
    std::optional<std::string> text;
    std::exception_ptr fatal, failure;
    try {
      const std::string name = key(sound);
      const std::optional<Json> known = journal_.find(name);
      text = known ? known->get<std::string>() : listen(sound, own);
      if (!known) journal_.add(name, *text);
    } catch (const Error& error) {
      const bool fails_here =
          error.code() == ErrorCode::kBusy || error.code() == ErrorCode::kBadInput;
      (fails_here ? failure : fatal) = std::current_exception();
      if (fails_here) log_warning("eval", sound.filename(), ": ", error.what());
    } catch (...) {
      fatal = std::current_exception();
    }
    lock.lock();
    --busy_;
    if (text) texts_[sound.string()] = *text;
    if (fatal && !fatal_) fatal_ = fatal;
    if (failure && !first_failure_) first_failure_ = failure;
    changed_.notify_all();
  }
}

/// A recognizer that fails is started anew, once: it may have been ended from outside.
std::string Hearing::listen(const std::filesystem::path& sound,
                            std::unique_ptr<ChildProcess>& own) {
  for (int attempt = 1;; ++attempt) {
    try {
      const Deadline deadline = in_seconds(options_.timeout_s);
      if (!options_.batch) {
        ChildProcess once(filled(options_.command, sound.string()), options_.log);
        once.close_input();
        return tidy(once.read_rest(deadline));
      }
      if (!own) own = std::make_unique<ChildProcess>(options_.command, options_.log);
      own->write_line(sound.string(), deadline);
      return tidy(own->read_line(deadline));
    } catch (const Error& error) {
      own.reset();
      const bool again = error.code() == ErrorCode::kBusy || error.code() == ErrorCode::kBadInput;
      if (!again || attempt == kAttempts) throw;
    }
  }
}

}  // namespace kani::cli
