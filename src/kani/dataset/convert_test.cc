// convert_test.cc - native shards in a folder: a new one when the last is full, all clips in order.
#include "kani/dataset/convert.h"

#include <gtest/gtest.h>

#include "kani/base/file.h"
#include "kani/formats/test_expect.h"

namespace kani {
namespace {

TrainingClip numbered(int32_t number) {
  TrainingClip clip;
  clip.text = {1, number};
  clip.codes = {number, 1, 2, 3};
  clip.encoded_len = number;
  return clip;
}

TEST(ShardFolder, clips_go_on_in_the_next_file) {
  const test::TemporaryFolder folder;
  ShardFolderWriter writer(folder.path(), ShardInfo{.voice_dim = 0}, {.clips = 3});
  for (int32_t i = 0; i < 8; ++i) writer.add(numbered(i));
  writer.finish();
  ASSERT_EQ(writer.files().size(), 3u);
  EXPECT_EQ(writer.files()[2].filename(), "clips-00002.kshard");
  int32_t expected = 0;
  TrainingClip clip;
  for (const auto& file : writer.files()) {
    ShardClips clips(file);
    while (clips.next(clip) == NextClip::kClip) EXPECT_EQ(clip.encoded_len, expected++);
  }
  EXPECT_EQ(expected, 8);
}

TEST(ShardFolder, nothing_appears_before_the_end) {
  const test::TemporaryFolder folder;
  {
    ShardFolderWriter writer(folder.path(), ShardInfo{.voice_dim = 0});
    writer.add(numbered(1));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(ShardFolder, a_damaged_shard_is_refused) {
  const test::TemporaryFolder folder;
  ShardFolderWriter writer(folder.path(), ShardInfo{.voice_dim = 0});
  writer.add(numbered(1));
  writer.finish();
  std::string bytes = read_file(writer.files()[0], 1 << 20);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file(folder / "bad.kshard", bytes);
  test::expect_refused([&] { ShardClips(folder / "bad.kshard"); }, "bad.kshard", "damaged");
}

}  // namespace
}  // namespace kani
