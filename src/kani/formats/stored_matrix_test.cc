// Stored matrices: what is found, what is refused, and with which words.
#include "kani/formats/stored_matrix.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "kani/base/error.h"
#include "kani/formats/safetensors.h"
#include "kani/quant/layout.h"

namespace kani {
namespace {

class StoredMatrixTest : public testing::Test {
 protected:
  // A file with one matrix of zeros; `bytes` as many as the tensor has.
  std::unique_ptr<TensorFile> file(const std::string& name, size_t bytes,
                                   std::map<std::string, std::string> metadata,
                                   float scale = 1.0F) {
    std::vector<std::byte> data(bytes);
    for (size_t r = 0; r < kQuantRows && bytes >= kRowScaleBytes; ++r)
      std::memcpy(data.data() + r * sizeof scale, &scale, sizeof scale);
    const TensorToWrite tensor{name, DType::kU8, {bytes}, data};
    text_ = safetensors_bytes({&tensor, 1}, metadata);
    return parse_safetensors(std::as_bytes(std::span(text_)), "test");
  }
  static std::map<std::string, std::string> words(const std::string& version,
                                                  const std::string& type) {
    return {{std::string(kStoredVersionKey), version}, {std::string(kStoredTypeKey), type}};
  }
  template <typename Work>
  static std::string refusal(Work work) {
    try {
      work();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      return error.what();
    }
    return "accepted";
  }

  std::string text_;
};

constexpr size_t kQ4Size = 2 * (kRowScaleBytes + 3 * kQ4Bytes);  // [100, 70]

TEST_F(StoredMatrixTest, other_files_are_not_of_this_form) {
  EXPECT_EQ(stored_type(*file("w.q4", 8, {})), "");
}

TEST_F(StoredMatrixTest, a_matrix_is_found_by_name_and_shape) {
  const auto found = file("w.q4", kQ4Size, words("1", "q4"));
  EXPECT_EQ(stored_type(*found), "q4");
  const auto matrix = find_stored(*found, "w", 100, 70);
  ASSERT_TRUE(matrix);
  EXPECT_TRUE(matrix->q4);
  EXPECT_FALSE(find_stored(*found, "v", 100, 70));
  EXPECT_NO_THROW(check_stored_scales(*matrix, 70, *found));
}

TEST_F(StoredMatrixTest, other_versions_and_types_are_refused) {
  EXPECT_EQ(refusal([&] { stored_type(*file("w.q4", 8, words("2", "q4"))); }),
            "test: stored form of version 2, this program reads 1");
  EXPECT_EQ(refusal([&] { stored_type(*file("w.q4", 8, words("1", "q5"))); }),
            "test: kani_stored_type is 'q5', expected q8 or q4");
}

TEST_F(StoredMatrixTest, a_wrong_size_is_refused) {
  const auto found = file("w.q8", kQ4Size, words("1", "q8"));
  EXPECT_EQ(refusal([&] { find_stored(*found, "w", 100, 70); }),
            "test: tensor w.q8 is U8 [7424], expected U8 [13568] for a matrix [100, 70]");
  EXPECT_NE(refusal([&] { find_stored(*found, "w", ~uint64_t{0}, ~uint64_t{0}); }), "accepted");
}

TEST_F(StoredMatrixTest, scales_must_be_numbers) {
  for (const float scale :
       {-1.0F, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    const auto found = file("w.q4", kQ4Size, words("1", "q4"), scale);
    const auto matrix = find_stored(*found, "w", 100, 70);
    EXPECT_NE(refusal([&] { check_stored_scales(*matrix, 70, *found); }).find("at row 0"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace kani
