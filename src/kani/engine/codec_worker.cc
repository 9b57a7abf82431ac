// codec_worker.cc - see codec_worker.h.
#include "kani/engine/codec_worker.h"

#include <algorithm>
#include <utility>

namespace kani {

CodecWorker::CodecWorker(Backend& language, Backend& codec)
    : language_(language), codec_(codec), share_(std::max(1, codec.threads() / 2)) {
  codec_.limit_threads(share_);
  thread_ = std::thread([this] { run(); });
}

CodecWorker::~CodecWorker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::future<void> CodecWorker::start(std::function<void()> work) {
  std::packaged_task<void()> task(std::move(work));
  std::future<void> done = task.get_future();
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    language_.limit_threads(language_.threads() - share_);
  }
  changed_.notify_one();
  return done;
}

void CodecWorker::wait(std::future<void>& work) {
  codec_.limit_threads(codec_.threads());
  work.wait();
  codec_.limit_threads(share_);
  work.get();
}

void CodecWorker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    std::packaged_task<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
    if (tasks_.empty()) language_.limit_threads(language_.threads());
  }
}

}  // namespace kani
