// codec_worker.h - a thread that turns frames into sound while the language model writes the next
// ones.  The one waits for memory, the other for arithmetic: side by side they take less time than
// one after the other, on two cores too.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

#include "kani/backend/backend.h"

namespace kani {

/// Work is done in the order in which it came.  While some is there, the codec's backend works with
/// half of the threads and the language model's with the others; alone each has them all.
/// Thread-safe.  Nobody else uses the codec's backend.
class CodecWorker {
 public:
  /// The backends must outlive the worker; both were made for the same number of threads, at
  /// least 2.
  CodecWorker(Backend& language, Backend& codec);
  CodecWorker(const CodecWorker&) = delete;
  CodecWorker& operator=(const CodecWorker&) = delete;
  /// Finishes what is there.
  ~CodecWorker();

  /// What `work` throws comes out of the future.
  std::future<void> start(std::function<void()> work);
  /// Waits for one piece of work, and meanwhile leaves all threads to the codec.
  void wait(std::future<void>& work);

 private:
  void run();

  Backend& language_;
  Backend& codec_;
  const int share_;  // the codec's threads while both work
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace kani
