// thread_pool.h - fork and join for kernels: the same few threads, started once, woken many
// thousand times a second. Workers spin for a short while (a decode step forks again within
// microseconds), then sleep in the kernel, so that an idle program costs nothing and a crowded
// machine is not burnt.  Not a task queue.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

namespace kani {

/// A reference to a callable; valid only during the call it is passed to.
template <typename Signature>
class FunctionRef;

template <typename Result, typename... Args>
class FunctionRef<Result(Args...)> {
 public:
  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>)
      FunctionRef(F&& function)  // NOLINT: implicit on purpose
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(function)))),
        call_([](void* object, Args... args) -> Result {
          return (*static_cast<std::remove_reference_t<F>*>(object))(args...);
        }) {}
  Result operator()(Args... args) const { return call_(object_, args...); }

 private:
  void* object_;
  Result (*call_)(void*, Args...);
};

/// One fork at a time: run() and parallel_for() may be called by one thread at a time (asserted).
class ThreadPool {
 public:
  /// `threads`, 1 to 255, counts the calling thread; threads - 1 workers are started.  What is
  /// beyond is taken as the nearer end.
  explicit ThreadPool(int threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  int size() const noexcept { return size_; }

  /// From the next fork on at most `threads` (1 … size()) threads work; what they compute is the
  /// same.  For whoever shares the processor with other work; any thread may call it.
  void limit(int threads) noexcept;

  /// Calls body(0) … body(size() - 1), each in a thread of its own (0 in the caller's) unless
  /// limit() says otherwise, and returns when all are done.  So no body may wait for another; none
  /// may throw or call back into the pool.
  void run(FunctionRef<void(int)> body) noexcept;

  /// Splits [0, count) into at most size() adjacent ranges of whole `grain`s (the last may be
  /// short) and calls body(begin, end) for each that is not empty.  The split depends on count,
  /// grain and size() alone.
  void parallel_for(size_t count, size_t grain, FunctionRef<void(size_t, size_t)> body) noexcept;

 private:
  void work(int index) noexcept;

  static constexpr size_t kLine = 64;  // bytes that processors hand to each other at once

  int size_;
  std::atomic<int> limit_;
  std::atomic<bool> busy_{false};
  std::vector<std::thread> workers_;
  // What workers watch while they wait lies in a line of its own, and what the caller watches in
  // another: neither is taken away by what the other side writes meanwhile.
  // fork_ is changed by each fork: a count, and in the low byte how many threads take part.  One
  // word, so that a worker who is not among them cannot take one fork for another.
  alignas(kLine) std::atomic<uint32_t> fork_{0};
  std::atomic<bool> stopping_{false};
  const FunctionRef<void(int)>* body_ = nullptr;
  alignas(kLine) std::atomic<int> running_{0};
};

/// Physical cores of one socket, at most 16: the default number of threads.  At least 1.
int default_thread_count();

}  // namespace kani
