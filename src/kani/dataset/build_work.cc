// build_work.cc - see build_work.h.
#include "kani/dataset/build_work.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "kani/base/error.h"

namespace kani {
namespace {

constexpr auto kTellEvery = std::chrono::milliseconds(200);

class Workers {
 public:
  Workers(const BuildWork& work, WorkFolder& folder) : work_(work), folder_(folder) {
    for (const size_t unit : work.plan.units_of(work.part)) {
      counts_.records += work.plan.size(unit);
      if (folder.is_finished(unit)) {
        counts_.before += work.plan.size(unit);
      } else {
        units_.push_back(unit);
      }
    }
  }

  WorkCounts run() {
    const size_t count = std::min(units_.size(), static_cast<size_t>(std::max(1, work_.workers)));
    std::vector<std::jthread> threads;
    running_ = count;
    for (size_t i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
    for (;;) {
      std::unique_lock lock(mutex_);
      news_.wait_for(lock, kTellEvery, [this] { return changed_ || running_ == 0; });
      const bool ended = running_ == 0;
      changed_ = false;
      const WorkCounts now = counts_;
      lock.unlock();
      if (work_.tell) work_.tell(now);
      if (ended) break;
    }
    threads.clear();
    if (failure_) std::rethrow_exception(failure_);
    return counts_;
  }

 private:
  bool stopped() const {
    return failed_.load() || (work_.cancel != nullptr && work_.cancel->cancelled());
  }

  void work() {
    try {
      ClipMaker maker(work_.rules);
      while (!stopped()) {
        const size_t next = next_.fetch_add(1);
        if (next >= units_.size()) break;
        do_unit(maker, units_[next]);
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCancelled) keep_failure();
    } catch (...) {
      keep_failure();
    }
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) news_.notify_one();
  }

  void do_unit(ClipMaker& maker, size_t unit) {
    const size_t first = work_.plan.first(unit), size = work_.plan.size(unit);
    const Manifest& manifest = work_.manifest;
    std::vector<ClipResult> results;
    for (size_t i = first; i < first + size; ++i) {
      if (stopped()) return give_back(results);
      const SourceRecord& record = manifest.records[i];
      try {
        results.push_back(maker.make(record, manifest.path_of(record), work_.cancel));
      } catch (const Error& error) {
        give_back(results);
        throw;
      }
      count(results.back(), /*sign=*/1);
    }
    folder_.finish(unit, first, manifest.records, results, work_.rules.shard_info());
  }

  /// A unit that is not finished does not count.
  void give_back(const std::vector<ClipResult>& results) {
    for (const ClipResult& result : results) count(result, /*sign=*/-1);
  }

  void count(const ClipResult& result, int sign) {
    const std::lock_guard lock(mutex_);
    const auto one = static_cast<uint64_t>(int64_t{sign});
    counts_.done += one;
    if (result.reject) {
      counts_.rejected += one;
    } else {
      counts_.seconds += sign * result.clip.duration_s;
    }
    changed_ = true;
    news_.notify_one();
  }

  void keep_failure() {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    failed_.store(true);
  }

  const BuildWork& work_;
  WorkFolder& folder_;
  std::vector<size_t> units_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable news_;
  bool changed_ = false;
  size_t running_ = 0;
  WorkCounts counts_;
  std::exception_ptr failure_;
};

}  // namespace

WorkCounts work_through(const BuildWork& work, WorkFolder& folder) {
  return Workers(work, folder).run();
}

}  // namespace kani
