// test_cases.h - tables of "written, spoken" for the tests of the text front end.
#pragma once

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "kani/text/text.h"

namespace kani {

struct SpokenCase {
  std::string_view written, spoken;
};

inline void expect_spoken(std::string_view language, const std::vector<SpokenCase>& cases) {
  for (const SpokenCase& c : cases) {
    EXPECT_EQ(normalize_text(c.written, {.language = std::string(language)}), c.spoken)
        << "written: " << c.written;
  }
}

}  // namespace kani
