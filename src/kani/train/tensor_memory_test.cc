// tensor_memory_test.cc - blocks that are dropped are there for the next tensor of like size, and
// no more is kept than was in use.
#include "kani/train/tensor_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <thread>
#include <vector>

#include "kani/train/torch.h"

namespace kani::train {
namespace {

class TensorMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
    keep_tensor_memory();
    const size_t before = tensor_memory().used;
    const at::Tensor probe = at::empty({1 << 20});
    if (tensor_memory().used == before) GTEST_SKIP() << "a sanitizer watches the memory itself";
  }
};

TEST_F(TensorMemoryTest, GivesADroppedBlockToALikeTensor) {
  at::Tensor first = at::empty({1000, 1000});
  const void* place = first.data_ptr();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(place) % 64, 0U);
  first.reset();
  EXPECT_EQ(at::empty({1000, 999}).data_ptr(), place);
  EXPECT_NE(at::empty({500, 500}).data_ptr(), place);
}

TEST_F(TensorMemoryTest, HoldsWhatItsTensorsHold) {
  // Around the borders of the classes: no block may be shorter than its tensor.
  for (int64_t bytes = 60'000; bytes < 3'000'000; bytes += bytes / 17) {
    for (const int64_t off : {-1, 0, 1}) {
      const size_t before = tensor_memory().used;
      at::Tensor x = at::empty({bytes + off}, at::kByte);
      const size_t got = tensor_memory().used - before;
      x.fill_(0x5a);
      if (got != 0) {
        EXPECT_GE(got, static_cast<size_t>(bytes + off) + 64);
        EXPECT_LE(got, static_cast<size_t>(bytes + off + 64) * 9 / 8 + 1);
      }
      EXPECT_EQ(x.to(at::kLong).sum().item<int64_t>(), 0x5a * (bytes + off));
    }
  }
}

TEST_F(TensorMemoryTest, KeepsNoMoreThanWasInUse) {
  size_t most = 0;
  for (int64_t megabytes = 1; megabytes <= 24; ++megabytes) {
    const at::Tensor x = at::empty({megabytes << 18});
    most = std::max(most, tensor_memory().used);
  }
  EXPECT_LE(tensor_memory().kept, most);
  EXPECT_GT(tensor_memory().kept, 0U);
}

TEST_F(TensorMemoryTest, IsSharedByThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int64_t i = 0; i < 300; ++i) {
        const at::Tensor x = at::full({20'000 + 1'000 * (i % 7)}, t, at::kInt);
        EXPECT_TRUE(x.eq(t).all().item<bool>());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace kani::train
