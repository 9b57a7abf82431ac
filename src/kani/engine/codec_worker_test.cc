// The codec's thread: order, errors, and which threads are left to whom.
#include "kani/engine/codec_worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "kani/base/error.h"

namespace kani {
namespace {

// Remembers its limit; computes nothing.
class CountingBackend final : public Backend {
 public:
  std::string name() const override { return "counting"; }
  int threads() const override { return 4; }
  void limit_threads(int threads) override { limit = threads; }
  LanguageOps& language() override { throw Error(ErrorCode::kInternal, "no operations"); }
  SignalOps& signal() override { throw Error(ErrorCode::kInternal, "no operations"); }
  EncoderOps& encoder() override { throw Error(ErrorCode::kInternal, "no operations"); }

  std::atomic<int> limit{4};
};

TEST(CodecWorker, work_is_done_in_order_and_its_errors_come_back) {
  CountingBackend language, codec;
  CodecWorker worker(language, codec);
  std::vector<int> order;
  std::vector<std::future<void>> futures;
  for (int i = 0; i < 100; ++i) {
    futures.push_back(worker.start([&order, i] {
      order.push_back(i);
      if (i == 7) throw Error(ErrorCode::kBadInput, "seven");
    }));
  }
  for (int i = 0; i < 100; ++i) {
    if (i == 7) {
      EXPECT_THROW(worker.wait(futures[7]), Error);
    } else {
      worker.wait(futures[static_cast<size_t>(i)]);
    }
  }
  for (int i = 0; i < 100; ++i) ASSERT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(CodecWorker, both_share_the_threads_while_both_work) {
  CountingBackend language, codec;
  {
    CodecWorker worker(language, codec);
    EXPECT_EQ(codec.limit, 2);
    std::promise<void> go_on;
    std::future<void> signal = go_on.get_future();
    std::future<void> done = worker.start([&] { signal.wait(); });
    EXPECT_EQ(language.limit, 2);
    go_on.set_value();
    worker.wait(done);
    EXPECT_EQ(codec.limit, 2);
  }
  EXPECT_EQ(language.limit, 4);  // the worker's last deed
}

TEST(CodecWorker, ends_with_what_was_started) {
  CountingBackend language, codec;
  std::atomic<int> calls{0};
  {
    CodecWorker worker(language, codec);
    for (int i = 0; i < 20; ++i) (void)worker.start([&] { ++calls; });
  }
  EXPECT_EQ(calls, 20);
}

}  // namespace
}  // namespace kani
