// test_expect.h - what every refusal must look like: Error(kBadInput) in one line that names the
// file and the reason.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "kani/base/error.h"

namespace kani::test {

inline void expect_well_formed(const Error& error, std::string_view file, std::string_view reason) {
  const std::string what = error.what();
  EXPECT_EQ(error.code(), ErrorCode::kBadInput) << what;
  EXPECT_NE(what.find(file), std::string::npos) << what;
  EXPECT_NE(what.find(reason), std::string::npos) << what << "\nexpected: " << reason;
  EXPECT_LT(what.size(), 600u);
  EXPECT_FALSE(what.ends_with('.')) << what;
  for (const char c : what) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << what;
}

/// `reason` must be part of the message.
template <typename Call>
void expect_refused(Call call, std::string_view file, std::string_view reason) {
  try {
    call();
    ADD_FAILURE() << "accepted, expected: " << reason;
  } catch (const Error& error) {
    expect_well_formed(error, file, reason);
  }
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "kani-formats-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace kani::test
