#include "kani/audio/tags.h"

#include <gtest/gtest.h>

#include "kani/audio/test_sound.h"

namespace kani {
namespace {

using std::string_literals::operator""s;

TEST(Tags, say_that_speech_is_synthetic_and_who_made_it) {
  const SoundTags tags = make_tags("a title");
  EXPECT_TRUE(tags.program.starts_with("kani "));
  EXPECT_NE(tags.statement.find("synthetic speech"), std::string::npos);
  EXPECT_EQ(tags.title, "a title");
}

TEST(Tags, titles_end_at_a_nul) { EXPECT_EQ(make_tags("one\0two"s).title, "one"); }

TEST(Tags, riff_info_has_padded_strings) {
  const Bytes chunk = riff_info_chunk({.program = "ab", .statement = "c", .title = "def"});
  EXPECT_EQ(to_string(chunk),
            "LIST\x26\0\0\0INFO"
            "ISFT\x3\0\0\0ab\0\0"
            "ICMT\x2\0\0\0c\0"
            "INAM\x4\0\0\0def\0"s);
}

TEST(Tags, riff_info_leaves_out_an_empty_title) {
  const Bytes chunk = riff_info_chunk({.program = "ab", .statement = "c", .title = ""});
  EXPECT_EQ(to_string(chunk).find("INAM"), std::string::npos);
  EXPECT_EQ(le_at(chunk, 4, 4) + 8, chunk.size());
}

TEST(Tags, id3_has_synchsafe_sizes_and_utf8_text) {
  const std::string statement(200, 's');
  const Bytes tag = id3_tag({.program = "ab", .statement = statement, .title = "é"});
  // 218 bytes of TXXX text: 1 for the encoding, 16 + 1 for the name, 200; 218 = 1 * 128 + 90
  const std::string frames =
      "TSSE\0\0\0\x3\0\0\x3"
      "ab"
      "TXXX\0\0\x1\x5a\0\0\x3SYNTHETIC_SPEECH\0"s +
      statement + "TIT2\0\0\0\x3\0\0\x3é"s;
  std::string header = "ID3\x4\0\0\0\0\0\0"s;
  header[8] = static_cast<char>(frames.size() / 128);
  header[9] = static_cast<char>(frames.size() % 128);
  EXPECT_EQ(to_string(tag), header + frames);
}

}  // namespace
}  // namespace kani
