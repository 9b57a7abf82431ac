// arrow_io_test.cc - memory that ends, files that appear whole, reasons in one line.
#include "kani/dataset/arrow_io.h"

#include <gtest/gtest.h>

#include <new>

#include "kani/formats/test_expect.h"

namespace kani {
namespace {

TEST(LimitedPool, what_is_too_much_is_an_error_and_the_rest_stays_usable) {
  LimitedPool pool(1 << 20);
  uint8_t* first = nullptr;
  uint8_t* second = nullptr;
  ASSERT_TRUE(pool.Allocate(600'000, 64, &first).ok());
  const arrow::Status refused = pool.Allocate(600'000, 64, &second);
  EXPECT_TRUE(refused.IsOutOfMemory());
  EXPECT_EQ(refused.message(), "needs more than 1 MiB at once");
  EXPECT_TRUE(pool.Reallocate(600'000, 1'200'000, 64, &first).IsOutOfMemory());
  EXPECT_EQ(pool.bytes_allocated(), 600'000);
  ASSERT_TRUE(pool.Reallocate(600'000, 1000, 64, &first).ok());
  ASSERT_TRUE(pool.Allocate(600'000, 64, &second).ok());
  pool.Free(first, 1000, 64);
  pool.Free(second, 600'000, 64);
  EXPECT_EQ(pool.bytes_allocated(), 0);
  EXPECT_EQ(pool.max_memory(), 601'000);
}

TEST(AtomicOutput, appears_with_commit_only) {
  const test::TemporaryFolder folder;
  for (const bool committed : {false, true}) {
    {
      AtomicOutput output(folder / "file");
      ASSERT_TRUE(output.Write("words", 5).ok());
      EXPECT_EQ(*output.Tell(), 5);
      ASSERT_TRUE(output.Close().ok());
      if (committed) output.commit();
    }
    EXPECT_EQ(std::filesystem::exists(folder / "file"), committed);
  }
  EXPECT_EQ(read_file(folder / "file", 100), "words");
}

TEST(ArrowErrors, become_one_line_with_the_file) {
  test::expect_refused(
      [] { check_read(arrow::Status::Invalid("first line.\nsecond line"), "a.arrow"); }, "a.arrow",
      "first line");
  test::expect_refused([] { reading("b", []() -> int { throw std::bad_alloc(); }); }, "b",
                       "more memory than there is");
  test::expect_refused([] { reading("b", []() -> int { throw std::runtime_error("x\ny."); }); },
                       "b", "x");
}

}  // namespace
}  // namespace kani
