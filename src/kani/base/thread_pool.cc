// thread_pool.cc - a count of forks wakes the workers, a down counter tells the caller when all are
// done.
#include "kani/base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace kani {
namespace {

constexpr uint32_t kOneFork = 256;  // the low byte of fork_ is a number of threads
constexpr int kMostThreads = 255;

void pause_cpu() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Spins until `changed()` or for about 50 microseconds.  Longer than the gaps between two forks of
// a decode step, far shorter than a scheduling quantum.
template <typename Condition>
bool spin_until(Condition changed) noexcept {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
  do {
    for (int i = 0; i < 64; ++i) {
      if (changed()) return true;
      pause_cpu();
    }
  } while (std::chrono::steady_clock::now() < end);
  return changed();
}

int allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

}  // namespace

ThreadPool::ThreadPool(int threads) : size_(std::clamp(threads, 1, kMostThreads)), limit_(size_) {
  workers_.reserve(static_cast<size_t>(size_ - 1));
  for (int i = 1; i < size_; ++i) workers_.emplace_back([this, i] { work(i); });
}

ThreadPool::~ThreadPool() {
  stopping_.store(true, std::memory_order_relaxed);
  fork_.fetch_add(kOneFork, std::memory_order_release);
  fork_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::work(int index) noexcept {
  uint32_t seen = 0;
  while (true) {
    const auto changed = [&] { return fork_.load(std::memory_order_acquire) != seen; };
    if (!spin_until(changed)) fork_.wait(seen, std::memory_order_acquire);
    if (!changed()) continue;
    seen = fork_.load(std::memory_order_acquire);
    if (stopping_.load(std::memory_order_relaxed)) return;
    const int active = static_cast<int>(seen % kOneFork);
    if (index >= active) continue;
    for (int i = index; i < size_; i += active) (*body_)(i);
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_one();
  }
}

void ThreadPool::limit(int threads) noexcept {
  limit_.store(std::clamp(threads, 1, size_), std::memory_order_relaxed);
}

void ThreadPool::run(FunctionRef<void(int)> body) noexcept {
  const int active = limit_.load(std::memory_order_relaxed);
  if (active == 1) {
    for (int i = 0; i < size_; ++i) body(i);
    return;
  }
  [[maybe_unused]] const bool was_busy = busy_.exchange(true, std::memory_order_acquire);
  assert(!was_busy && "one fork at a time");
  body_ = &body;
  running_.store(active - 1, std::memory_order_relaxed);
  const uint32_t count = fork_.load(std::memory_order_relaxed) / kOneFork + 1;
  fork_.store(count * kOneFork + static_cast<uint32_t>(active), std::memory_order_release);
  fork_.notify_all();
  for (int i = 0; i < size_; i += active) body(i);
  const auto done = [&] { return running_.load(std::memory_order_acquire) == 0; };
  while (!spin_until(done)) {
    const int left = running_.load(std::memory_order_acquire);
    if (left != 0) running_.wait(left, std::memory_order_acquire);
  }
  busy_.store(false, std::memory_order_release);
}

void ThreadPool::parallel_for(size_t count, size_t grain,
                              FunctionRef<void(size_t, size_t)> body) noexcept {
  if (count == 0) return;
  grain = std::max<size_t>(1, grain);
  const size_t grains = (count + grain - 1) / grain;
  const size_t parts = std::min(grains, static_cast<size_t>(size_));
  if (parts <= 1) return body(0, count);
  run([&](int index) {
    const auto part = static_cast<size_t>(index);
    if (part >= parts) return;
    const size_t begin = grains * part / parts * grain;
    const size_t end = std::min(count, grains * (part + 1) / parts * grain);
    if (begin < end) body(begin, end);
  });
}

int default_thread_count() {
  // Siblings share a core: count distinct core ids of the first socket.
  std::set<std::string> cores;
  for (int cpu = 0; cpu < 1024; ++cpu) {
    const std::string topology = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    std::ifstream core_file(topology + "core_id"), socket_file(topology + "physical_package_id");
    std::string core, socket;
    if (!(core_file >> core) || !(socket_file >> socket)) break;
    if (socket == "0") cores.insert(core);
  }
  int count = cores.empty() ? allowed_cpus() : static_cast<int>(cores.size());
  count = std::min({count, allowed_cpus(), 16});
  if (const char* limit = std::getenv("OMP_NUM_THREADS")) {
    const int value = std::atoi(limit);
    if (value > 0) count = std::min(count, value);
  }
  return std::max(1, count);
}

}  // namespace kani
