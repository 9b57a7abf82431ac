// eval_hearing.cc - see eval_hearing.h.
#include "apps/kani/eval_hearing.h"

#include <algorithm>
#include <exception>
#include <memory>

#include "apps/kani/child_process.h"
#include "apps/kani/signals.h"
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

HearingSlipped::HearingSlipped(const std::string& output)
    : Error(Error(ErrorCode::kBadInput,
                  "the recognizer printed more than one line for each path, at last: ",
                  printable(tidy(output), 100))
                .with_hint("--recognizer-batch takes a line for each path and nothing else on "
                           "standard output; nothing that it said was kept")) {}

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
  last_ = true;
  changed_.notify_all();
  while (!fatal_ && ended_ < threads_.size() && !cancel_token().cancelled())
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

struct Hearing::Listener {
  std::unique_ptr<ChildProcess> process;  // with --recognizer-batch
  std::vector<std::string> keys;
};

void Hearing::work() {
  Listener own;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closed_ || fatal_ || last_ || !waiting_.empty(); });
    if (closed_ || fatal_) return;
    std::optional<std::filesystem::path> sound;
    if (!waiting_.empty()) {
      sound = std::move(waiting_.front());
      waiting_.pop_front();
    }
    lock.unlock();
    std::optional<std::string> text;
    std::exception_ptr fatal, failure;
    try {
      if (!sound) {
        end(own);
      } else {
        const std::string name = key(*sound);
        const std::optional<Json> known = journal_.find(name);
        const bool heard = known && known->is_string();
        text = heard ? known->get<std::string>() : listen(*sound, own);
        if (!heard) {
          journal_.add(name, *text);
          own.keys.push_back(name);
        }
      }
    } catch (const HearingSlipped&) {
      for (const std::string& name : own.keys) journal_.add(name, nullptr);
      fatal = std::current_exception();
    } catch (const Error& error) {
      const bool fails_here =
          error.code() == ErrorCode::kBusy || error.code() == ErrorCode::kBadInput;
      (fails_here ? failure : fatal) = std::current_exception();
      if (fails_here && sound) log_warning("eval", sound->filename(), ": ", error.what());
    } catch (...) {
      fatal = std::current_exception();
    }
    lock.lock();
    if (text) texts_[sound->string()] = *text;
    if (fatal && !fatal_) fatal_ = fatal;
    if (failure && !first_failure_) first_failure_ = failure;
    ended_ += sound ? 0 : 1;
    changed_.notify_all();
    if (!sound) return;
  }
}

/// After its last sound: now there must be nothing more to read.
void Hearing::end(Listener& listener) {
  if (!listener.process) return;
  listener.process->close_input();
  std::string rest;
  try {
    rest = listener.process->read_rest(in_seconds(options_.timeout_s));
  } catch (const Error& error) {
    // It has answered; how it goes is its own matter.
    if (error.code() == ErrorCode::kCancelled) throw;
  }
  listener.process.reset();
  if (!tidy(rest).empty()) throw HearingSlipped(rest);
}

/// A recognizer that fails is started anew, once: it may have been ended from outside.
std::string Hearing::listen(const std::filesystem::path& sound, Listener& listener) {
  std::unique_ptr<ChildProcess>& own = listener.process;
  for (int attempt = 1;; ++attempt) {
    try {
      const Deadline deadline = in_seconds(options_.timeout_s);
      if (!options_.batch) {
        ChildProcess once(filled(options_.command, sound.string()), options_.log);
        once.close_input();
        return tidy(once.read_rest(deadline));
      }
      if (!own) own = std::make_unique<ChildProcess>(options_.command, options_.log);
      if (const std::string more = own->unread(); !more.empty()) throw HearingSlipped(more);
      own->write_line(sound.string(), deadline);
      return tidy(own->read_line(deadline));
    } catch (const HearingSlipped&) {
      throw;
    } catch (const Error& error) {
      own.reset();
      const bool again = error.code() == ErrorCode::kBusy || error.code() == ErrorCode::kBadInput;
      if (!again || attempt == kAttempts) throw;
    }
  }
}

}  // namespace kani::cli
