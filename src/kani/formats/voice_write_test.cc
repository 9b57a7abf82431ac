// Written voices are read back by our own strict reader, number by number.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <limits>

#include "kani/base/error.h"
#include "kani/formats/bytes.h"
#include "kani/formats/test_expect.h"
#include "kani/formats/voice_file.h"

namespace kani {
namespace {

constexpr VoiceFormat kAll[] = {VoiceFormat::kSafetensors, VoiceFormat::kPt, VoiceFormat::kNpy,
                                VoiceFormat::kJson};

// Numbers that a decimal text must not bend: thirds, the smallest and largest of float32.
std::vector<float> awkward(size_t length) {
  std::vector<float> values(length);
  for (size_t i = 0; i < length; ++i) values[i] = std::sin(static_cast<float>(i) + 0.1F) / 3;
  values[0] = std::numeric_limits<float>::denorm_min();
  if (length > 1) values[1] = -std::numeric_limits<float>::max();
  return values;
}

TEST(VoiceWrite, every_format_is_read_back_exactly) {
  for (const size_t length : {size_t{1}, size_t{2}, size_t{128}, size_t{4096}}) {
    const std::vector<float> values = awkward(length);
    for (const VoiceFormat format : kAll) {
      const std::string bytes = voice_bytes(format, values, {{"name", "Ida"}});
      const VoiceFile voice = parse_voice(bytes_of(bytes), "t");
      EXPECT_EQ(voice.values, values) << voice.format;
      EXPECT_EQ(voice.format, voice_format_name(format));
      EXPECT_EQ(voice.stored_shape, std::vector<uint64_t>{length});
      EXPECT_EQ(voice_bytes(format, values, {{"name", "Ida"}}), bytes) << "the same each time";
    }
  }
}

TEST(VoiceWrite, two_formats_keep_what_is_known_of_the_voice) {
  const std::map<std::string, std::string> known = {
      {"name", "Anna \"Ännchen\""}, {"consent", "my own voice\nsigned"}, {"format", "other"}};
  for (const VoiceFormat format : {VoiceFormat::kSafetensors, VoiceFormat::kJson}) {
    std::map<std::string, std::string> expected = known;
    expected["format"] = "kani-voice-1";
    const std::string bytes = voice_bytes(format, awkward(128), known);
    EXPECT_EQ(parse_voice(bytes_of(bytes), "t").metadata, expected);
  }
}

TEST(VoiceWrite, names_of_formats) {
  for (const VoiceFormat format : kAll)
    EXPECT_EQ(voice_format_of(voice_format_name(format)), format);
  EXPECT_FALSE(voice_format_of("PT"));
  EXPECT_FALSE(voice_format_of(""));
  EXPECT_FALSE(voice_format_of("wav"));
}

TEST(VoiceWrite, what_cannot_be_read_back_is_refused) {
  for (const VoiceFormat format : kAll) {
    EXPECT_THROW(voice_bytes(format, {}, {}), Error);
    EXPECT_THROW(voice_bytes(format, std::vector<float>(4097, 1), {}), Error);
    EXPECT_THROW(voice_bytes(format, std::vector<float>(128), {}), Error);
    EXPECT_THROW(voice_bytes(format, std::vector<float>{1, std::nanf("")}, {}), Error);
    EXPECT_THROW(voice_bytes(format, awkward(8), {{"name", "\xff"}}), Error);
    EXPECT_THROW(voice_bytes(format, awkward(8), {{"name", std::string(70'000, 'x')}}), Error);
  }
}

TEST(VoiceWrite, files_may_be_for_the_owner_alone) {
  const test::TemporaryFolder folder;
  write_voice(folder / "a.pt", VoiceFormat::kPt, awkward(128), {}, AtomicFile::Access::kOwnerOnly);
  struct stat info {};
  ASSERT_EQ(stat((folder / "a.pt").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  EXPECT_EQ(read_voice_file(folder / "a.pt").values, awkward(128));
}

}  // namespace
}  // namespace kani
