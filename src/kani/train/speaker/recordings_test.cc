// Recordings by speaker, crops that follow from numbers, and what is refused.
#include "kani/train/speaker/recordings.h"

#include <gtest/gtest.h>

#include <set>

#include "kani/base/error.h"
#include "kani/train/speaker/test_voices.h"

namespace kani::train {
namespace {

class RecordingsTest : public VoicesTest {
 protected:
  SpeakerTrainConfig config() const {
    SpeakerTrainConfig c;
    c.data = {(folder_ / "data").string()};
    c.batch_size = 6;
    c.min_seconds = 0.5;
    c.max_seconds = 1.5;
    c.eval_seconds = 1.5;
    return c;
  }
};

TEST_F(RecordingsTest, a_folder_and_a_manifest_of_it_are_the_same) {
  Recordings folder({(folder_ / "data").string()}, 10);
  std::string lines;
  for (int i = 2; i >= 0; --i) {
    for (int speaker = 7; speaker >= 0; --speaker) {
      const std::string name = "s" + std::to_string(speaker);
      lines += "{\"file\": \"" + name + "/" + std::to_string(i) + ".wav\", \"speaker\": \"" + name +
               "\", \"text\": \"x\"}\n";
    }
  }
  write_file(folder_ / "data" / "list.jsonl", lines);
  Recordings manifest({(folder_ / "data" / "list.jsonl").string()}, 10);
  EXPECT_EQ(folder.speakers(), 8u);
  EXPECT_EQ(folder.count(), 24u);
  EXPECT_EQ(manifest.hash(), folder.hash());
  EXPECT_EQ(*manifest.samples(3, 1), *folder.samples(3, 1));
}

TEST_F(RecordingsTest, crops_follow_from_seed_and_step_whatever_was_read_before) {
  Recordings one({(folder_ / "data").string()}, 10), other({(folder_ / "data").string()}, 0);
  const SpeakerTrainConfig c = config();
  const CropBatch late = make_crops(one, c, 17);
  for (int64_t step = 0; step < 5; ++step) make_crops(other, c, step);
  const CropBatch again = make_crops(other, c, 17);
  EXPECT_EQ(late.samples, again.samples);
  EXPECT_EQ(late.speakers, again.speakers);
  EXPECT_NE(make_crops(one, c, 18).speakers, late.speakers);
  SpeakerTrainConfig reseeded = c;
  reseeded.seed = 2;
  EXPECT_NE(make_crops(one, reseeded, 17).samples, late.samples);
}

TEST_F(RecordingsTest, crops_have_the_length_that_was_asked_for_and_are_normalized) {
  Recordings recordings({(folder_ / "data").string()}, 10);
  const SpeakerTrainConfig c = config();
  std::set<int64_t> lengths;
  for (int64_t step = 0; step < 20; ++step) {
    const CropBatch batch = make_crops(recordings, c, step);
    lengths.insert(batch.length);
    ASSERT_GE(batch.length, 8000);
    ASSERT_LE(batch.length, 24000);  // longer than any recording: some are joined
    ASSERT_EQ(batch.samples.size(), static_cast<size_t>(6 * batch.length));
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < batch.length; ++i) {
      sum += batch.samples[static_cast<size_t>(i)];
      squares += std::pow(batch.samples[static_cast<size_t>(i)], 2);
    }
    EXPECT_NEAR(sum / static_cast<double>(batch.length), 0, 1e-6);
    EXPECT_NEAR(squares / static_cast<double>(batch.length - 1), 1, 1e-5);
  }
  EXPECT_GT(lengths.size(), 10u);
}

TEST_F(RecordingsTest, speakers_are_held_back_whole_and_always_the_same) {
  Recordings first({(folder_ / "data").string()}, 10), second({(folder_ / "data").string()}, 10);
  const Recordings held = first.split_off(0.3), again = second.split_off(0.3);
  EXPECT_EQ(held.speakers(), 2u);
  EXPECT_EQ(first.speakers(), 6u);
  EXPECT_EQ(held.hash(), again.hash());
  for (size_t i = 0; i < held.speakers(); ++i) {
    EXPECT_EQ(held.count(i), 3u);
    for (size_t j = 0; j < first.speakers(); ++j) EXPECT_NE(held.name(i), first.name(j));
  }
  EXPECT_THROW(first.split_off(0.9), Error);
}

TEST_F(RecordingsTest, test_clips_join_whole_recordings) {
  Recordings recordings({(folder_ / "data").string()}, 10);
  const std::vector<TestClip> clips = make_test_clips(recordings, config());
  ASSERT_EQ(clips.size(), 8u);  // three seconds are one clip of two recordings, and a rest
  for (const TestClip& clip : clips) EXPECT_EQ(clip.samples.size(), 32000u);
}

TEST_F(RecordingsTest, what_cannot_be_used_is_named) {
  EXPECT_THROW(Recordings({(folder_ / "nowhere").string()}, 1), Error);
  EXPECT_THROW(Recordings({(folder_ / "data" / "s0").string()}, 1), Error);  // no folders in it
  write_file(folder_ / "bad.jsonl", "{\"file\": \"data/s0/0.wav\"}\n");
  try {
    Recordings({(folder_ / "bad.jsonl").string()}, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("line 1: names no speaker"), std::string::npos);
  }
}

TEST_F(RecordingsTest, what_cannot_be_heard_is_left_out_whoever_asks_for_it) {
  write_test_wav(folder_ / "data" / "s0" / "0.wav", std::vector<float>(8000));
  write_file(folder_ / "data" / "s0" / "1.wav", "no sound");
  Recordings recordings({(folder_ / "data").string()}, 1), again({(folder_ / "data").string()}, 1);
  EXPECT_EQ(recordings.samples(0, 0), nullptr);
  EXPECT_EQ(recordings.samples(0, 1), nullptr);
  ASSERT_NE(recordings.samples(0, 2), nullptr);
  for (const size_t index : {size_t{0}, size_t{1}, size_t{2}})
    EXPECT_EQ(recordings.samples_from(0, index), *again.samples(0, 2));
  // A run goes through, and one that asks in another order hears the same.
  SpeakerTrainConfig c = config();
  for (const int64_t step : {5, 0, 3}) make_crops(again, c, step);
  for (int64_t step = 0; step < 20; ++step)
    EXPECT_EQ(make_crops(recordings, c, step).samples, make_crops(again, c, step).samples);
  EXPECT_EQ(make_test_clips(recordings, c).size(), 7u);  // one recording is no clip of two seconds
  write_file(folder_ / "data" / "s0" / "2.wav", "no sound");
  Recordings none({(folder_ / "data").string()}, 1);
  EXPECT_THROW(none.samples_from(0, 1), Error);
}

}  // namespace
}  // namespace kani::train
