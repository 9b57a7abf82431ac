// Text in pages.
#include "kani/base/html.h"

#include <gtest/gtest.h>

namespace kani {
namespace {

TEST(Html, text_stays_text_between_tags_and_in_attributes) {
  EXPECT_EQ(html_text("<a href=\"x\">&</a>"), "&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;");
  EXPECT_EQ(html_text("caf\xC3\xA9 \xFF"), "caf\xC3\xA9 \xEF\xBF\xBD");
}

TEST(Html, the_style_loads_nothing_and_knows_the_dark) {
  for (const char* outside : {"http:", "https:", "url(", "@import"})
    EXPECT_EQ(report_style().find(outside), std::string_view::npos) << outside;
  EXPECT_NE(report_style().find("prefers-color-scheme:dark"), std::string_view::npos);
}

}  // namespace
}  // namespace kani
