#include "kani/train/codec/sound_set.h"

#include <set>

#include "kani/base/file.h"
#include "kani/train/codec/test_sounds.h"

namespace kani::train {
namespace {

class SoundSetTest : public SoundTest {};

TEST_F(SoundSetTest, takes_folders_files_and_lists) {
  const SoundSet all({sounds()}, kTestRate, 256);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_NEAR(all.seconds(), 4.75, 0.001);  // the resampled one too
  EXPECT_EQ(all.bytes(), 2u * 38000);
  EXPECT_EQ(all.frames(0), 47);  // 12,000 samples
  write_file(folder_ / "list.txt", "sounds/a.wav\n\nsounds/b.wav\n");
  write_file(folder_ / "list.jsonl", "{\"text\": \"x\", \"audio\": \"sounds/a.wav\"}\n" +
                                         ("{\"file\": \"" + sounds()) + "/b.wav\"}\n");
  const std::string txt = (folder_ / "list.txt").string(),
                    jsonl = (folder_ / "list.jsonl").string();
  EXPECT_EQ(SoundSet({txt}, kTestRate, 256).hash(), SoundSet({jsonl}, kTestRate, 256).hash());
  EXPECT_NE(SoundSet({txt}, kTestRate, 256).hash(), all.hash());
  EXPECT_EQ(SoundSet({sounds() + "/a.wav"}, kTestRate, 256).size(), 1u);
}

TEST_F(SoundSetTest, leaves_out_what_it_cannot_read_and_names_what_is_not_there) {
  write_file(folder_ / "sounds" / "broken.wav", "no sound");
  EXPECT_EQ(SoundSet({sounds()}, kTestRate, 256).size(), 3u);
  EXPECT_THROW(SoundSet({(folder_ / "nowhere").string()}, kTestRate, 256), Error);
  EXPECT_THROW(SoundSet({sounds() + "/broken.wav"}, kTestRate, 256), Error);
  write_file(folder_ / "list.jsonl", "{\"text\": \"x\"}\n");
  EXPECT_THROW(SoundSet({(folder_ / "list.jsonl").string()}, kTestRate, 256), Error);
}

TEST_F(SoundSetTest, crops_follow_from_seed_update_and_item_and_reach_everywhere) {
  const SoundSet set({sounds()}, kTestRate, 256);
  std::set<std::pair<size_t, int64_t>> seen;
  int64_t of_longest = 0;
  for (uint64_t update = 0; update < 3000; ++update) {
    const Crop crop = set.crop(1, update, 0, 8), again = set.crop(1, update, 0, 8);
    EXPECT_TRUE(crop.recording == again.recording && crop.frame == again.frame &&
                crop.shift == again.shift);
    EXPECT_LE(crop.frame + 8, set.frames(crop.recording));
    EXPECT_LT(crop.shift, 256);
    seen.insert({crop.recording, crop.frame});
    of_longest += crop.recording == 1 ? 1 : 0;
  }
  // 47, 71 and 32 frames have 40, 64 and 25 places.
  EXPECT_EQ(seen.size(), 129u);
  EXPECT_NEAR(static_cast<double>(of_longest) / 3000, 64.0 / 129, 0.04);
  EXPECT_EQ(set.crop(1, 5, 0, 1000).frame, 0);  // longer than all of them
}

TEST_F(SoundSetTest, a_share_of_the_crops_begins_with_its_recording) {
  const SoundSet set({sounds()}, kTestRate, 256);
  int starts = 0, others = 0;
  for (uint64_t update = 0; update < 3000; ++update) {
    const Crop free = set.crop(1, update, 0, 8), crop = set.crop(1, update, 0, 8, 0.25);
    EXPECT_EQ(crop.recording, free.recording);
    if (crop.frame == 0 && crop.shift == 0)
      ++starts;
    else
      others += crop.frame == free.frame && crop.shift == free.shift ? 1 : 0;
  }
  EXPECT_EQ(starts + others, 3000);
  EXPECT_NEAR(starts / 3000.0, 0.25, 0.03);
}

TEST_F(SoundSetTest, is_silent_beyond_both_ends) {
  const SoundSet set({sounds()}, kTestRate, 256);
  const at::Tensor whole = set.samples(0, 0, 12000), wide = set.samples(0, -100, 12300);
  EXPECT_TRUE(at::equal(wide.narrow(0, 100, 12000), whole));
  EXPECT_EQ(wide.narrow(0, 0, 100).abs().max().item<float>(), 0);
  EXPECT_EQ(wide.narrow(0, 12100, 200).abs().max().item<float>(), 0);
  EXPECT_GT(whole.abs().max().item<float>(), 0.1F);
}

}  // namespace
}  // namespace kani::train
