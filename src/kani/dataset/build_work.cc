// build_work.cc - see build_work.h.
#include "kani/dataset/build_work.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "kani/base/error.h"
#include "kani/dataset/earlier_work.h"
#include "kani/dataset/without_path.h"

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
    if (count > 0) earlier_.emplace(folder_);
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

  /// What a worker has for itself.
  struct Worker {
    explicit Worker(const ClipRules& rules) : maker(rules) {}
    ClipMaker maker;
    RecordingStates states;
    std::optional<EarlierRecords> earlier;
  };

  void work() {
    try {
      Worker worker(work_.rules);
      if (earlier_) worker.earlier.emplace(*earlier_);
      while (!stopped()) {
        const size_t next = next_.fetch_add(1);
        if (next >= units_.size()) break;
        do_unit(worker, units_[next]);
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCancelled) keep_failure();
    } catch (...) {
      keep_failure();
    }
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) news_.notify_one();
  }

  void do_unit(Worker& worker, size_t unit) {
    const size_t first = work_.plan.first(unit), size = work_.plan.size(unit);
    std::vector<MadeRecord> made;
    WorkCounts counted;  // a unit that is not finished does not count
    try {
      for (size_t i = first; i < first + size; ++i) {
        if (stopped()) return count(counted, /*sign=*/-1);
        WorkCounts one;
        made.push_back(make(worker, i, one));
        count(one, /*sign=*/1);
        add(counted, one, /*sign=*/1);
      }
    } catch (const Error& error) {
      count(counted, /*sign=*/-1);
      throw;
    }
    folder_.finish(unit, made, work_.rules.shard_info());
  }

  MadeRecord make(Worker& worker, size_t index, WorkCounts& counts) {
    const Manifest& manifest = work_.manifest;
    const SourceRecord& record = manifest.records[index];
    const RecordKey& key = work_.plan.key(index);
    if (worker.earlier) {
      if (auto made = worker.earlier->take(key, manifest, record, worker.states)) {
        counts.before = 1;
        return std::move(*made);
      }
    }
    // First, so that a change while it is encoded is found by the next run.
    const RecordingState state = worker.states.state(manifest, record);
    MadeRecord made = made_record(record, key, state, make_clip(worker, record));
    counts.done = 1;
    counts.rejected = made.facts.reject ? 1 : 0;
    counts.seconds = made.facts.seconds;
    return made;
  }

  ClipResult make_clip(Worker& worker, const SourceRecord& record) {
    const std::filesystem::path path = work_.manifest.path_of(record);
    std::span<const std::byte> sound;
    if (record.row >= 0 && !record.problem) {
      try {
        sound = worker.states.inner_sound(work_.manifest, record);
      } catch (const Error& error) {
        const bool missing = error.code() == ErrorCode::kNotFound;
        if (!missing && error.code() != ErrorCode::kBadInput) throw;
        ClipResult result;
        result.reject = Reject{missing ? RejectReason::kAudioMissing : RejectReason::kAudio,
                               {},
                               without_path(error.what(), path, record.set_file)};
        return result;
      }
    }
    return worker.maker.make(record, path, work_.cancel, sound);
  }

  static void add(WorkCounts& sum, const WorkCounts& more, int sign) {
    const auto factor = static_cast<uint64_t>(int64_t{sign});
    sum.before += factor * more.before;
    sum.done += factor * more.done;
    sum.rejected += factor * more.rejected;
    sum.seconds += sign * more.seconds;
  }

  void count(const WorkCounts& more, int sign) {
    const std::lock_guard lock(mutex_);
    add(counts_, more, sign);
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
  std::optional<EarlierWork> earlier_;
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
