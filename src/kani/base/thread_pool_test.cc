#include "kani/base/thread_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <numeric>

namespace kani {
namespace {

TEST(ThreadPool, every_index_runs_once_per_fork) {
  ThreadPool pool(4);
  std::vector<int> calls(4);
  for (int fork = 0; fork < 2000; ++fork)
    pool.run([&](int index) { ++calls[static_cast<size_t>(index)]; });
  EXPECT_EQ(calls, std::vector<int>(4, 2000));
}

TEST(ThreadPool, parallel_for_covers_the_range_without_overlap) {
  for (const int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    for (const size_t count : {0u, 1u, 7u, 64u, 1000u}) {
      for (const size_t grain : {1u, 8u, 64u, 5000u}) {
        std::vector<int> seen(count);
        pool.parallel_for(count, grain, [&](size_t begin, size_t end) {
          EXPECT_EQ(begin % grain, 0u);
          for (size_t i = begin; i < end; ++i) ++seen[i];
        });
        EXPECT_EQ(std::accumulate(seen.begin(), seen.end(), 0), static_cast<int>(count));
        EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<long>(count));
      }
    }
  }
}

TEST(ThreadPool, wakes_after_its_workers_fell_asleep) {
  ThreadPool pool(3);
  std::atomic<int> calls{0};
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    pool.run([&](int) { calls.fetch_add(1); });
  }
  EXPECT_EQ(calls.load(), 15);
}

TEST(ThreadPool, a_limit_changes_who_works_and_not_what_is_done) {
  ThreadPool pool(4);
  for (int round = 0; round < 500; ++round) {
    pool.limit(1 + round % 5);
    std::vector<int> calls(4);
    std::vector<std::thread::id> workers(4);
    pool.run([&](int index) {
      ++calls[static_cast<size_t>(index)];
      workers[static_cast<size_t>(index)] = std::this_thread::get_id();
    });
    ASSERT_EQ(calls, std::vector<int>(4, 1));
    std::sort(workers.begin(), workers.end());
    const auto distinct = std::unique(workers.begin(), workers.end()) - workers.begin();
    ASSERT_EQ(distinct, std::min(4, 1 + round % 5));
  }
}

TEST(ThreadPool, a_limit_may_come_from_another_thread) {
  ThreadPool pool(3);
  std::atomic<bool> stop{false};
  std::thread other([&] {
    for (int i = 0; !stop.load(); ++i) pool.limit(1 + i % 3);
  });
  for (int round = 0; round < 2000; ++round) {
    std::atomic<int> calls{0};
    pool.run([&](int) { calls.fetch_add(1); });
    ASSERT_EQ(calls.load(), 3);
  }
  stop.store(true);
  other.join();
}

TEST(ThreadPool, ends_without_having_worked) { ThreadPool pool(4); }

TEST(ThreadPool, default_is_at_least_one) { EXPECT_GE(default_thread_count(), 1); }

}  // namespace
}  // namespace kani
