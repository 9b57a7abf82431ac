// Reasons have names, and docs/training.md says what each of them means.
#include "kani/dataset/reject.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "kani/base/file.h"

namespace kani {
namespace {

TEST(Reject, every_name_is_read_back_and_stands_in_the_document) {
  const std::string document =
      read_file(std::filesystem::path(KANI_SOURCE_DIR) / "docs" / "training.md", 1 << 20);
  const size_t begin = document.find("| reason | what is wrong | limit |");
  ASSERT_NE(begin, std::string::npos);
  const std::string table = document.substr(begin, document.find("\n\n", begin) - begin);
  for (size_t i = 0; i < kRejectReasons; ++i) {
    const auto reason = static_cast<RejectReason>(i);
    const std::string name(reject_name(reason));
    EXPECT_EQ(reject_from_name(name), reason) << name;
    EXPECT_NE(table.find("`" + name + "`"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace kani
