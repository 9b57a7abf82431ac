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

TEST(ThreadPool, ends_without_having_worked) { ThreadPool pool(4); }

TEST(ThreadPool, default_is_at_least_one) { EXPECT_GE(default_thread_count(), 1); }

}  // namespace
}  // namespace kani
