// token_shard_test.cc - what is written is read back; damage is found; nonsense is refused.
#include "kani/formats/token_shard.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/formats/safetensors.h"

namespace kani {
namespace {

TrainingClip example(int32_t seed) {
  TrainingClip clip;
  clip.text = {1, 17 + seed, 42};
  for (int32_t i = 0; i < 4 * (3 + seed); ++i) clip.codes.push_back((i * 997 + seed) % 4032);
  clip.voice = {0.5F, -0.25F, static_cast<float>(seed % 2)};
  clip.language = seed % 2 == 0 ? "en" : "";
  clip.speaker = "anna";
  clip.source = "set";
  clip.encoded_len = 3 + seed;
  clip.duration_s = 0.08 * (3 + seed);
  clip.record[0] = static_cast<std::byte>(seed);
  clip.notes = seed == 1 ? "" : R"({"a":1})";
  clip.utf8 = "hé " + std::to_string(seed);
  return clip;
}

void expect_equal(const TrainingClip& a, const TrainingClip& b) {
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.codes, b.codes);
  EXPECT_EQ(a.voice, b.voice);
  EXPECT_EQ(a.language, b.language);
  EXPECT_EQ(a.speaker, b.speaker);
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.encoded_len, b.encoded_len);
  EXPECT_EQ(a.duration_s, b.duration_s);
  EXPECT_EQ(a.record, b.record);
  EXPECT_EQ(a.utf8, b.utf8);
  EXPECT_EQ(a.notes, b.notes);
}

std::string example_bytes(int count, ShardInfo info = {4, 4032, 3, "abc", "plain 1"}) {
  ShardWriter writer(std::move(info));
  for (int i = 0; i < count; ++i) writer.add(example(i));
  return writer.serialize();
}

TokenShard parsed(const std::string& bytes) {
  return TokenShard(std::as_bytes(std::span(bytes)), "test");
}

TEST(TokenShard, what_is_written_is_read_back) {
  const std::string bytes = example_bytes(5);
  const TokenShard shard = parsed(bytes);
  ASSERT_EQ(shard.clips(), 5u);
  EXPECT_EQ(shard.info(), (ShardInfo{4, 4032, 3, "abc", "plain 1"}));
  for (int i = 4; i >= 0; --i) {
    const auto index = static_cast<size_t>(i);
    expect_equal(shard.clip(index), example(i));
    EXPECT_EQ(shard.frames(index), index + 3);
    EXPECT_EQ(shard.text_length(index), 3u);
    EXPECT_TRUE(shard.has_voice(index));
  }
  shard.verify();
}

TEST(TokenShard, the_same_clips_are_the_same_bytes) {
  EXPECT_EQ(example_bytes(3), example_bytes(3));
}

TEST(TokenShard, no_clips_and_no_voices_are_fine) {
  const std::string bytes = example_bytes(0);
  EXPECT_EQ(parsed(bytes).clips(), 0u);
  ShardWriter writer({.codebooks = 3, .codebook_size = 4096, .voice_dim = 0});
  TrainingClip clip;
  clip.codes = {4095, 0, 4095, 1, 2, 3};
  writer.add(clip);
  const std::string other = writer.serialize();
  expect_equal(parsed(other).clip(0), clip);
  EXPECT_FALSE(parsed(other).has_voice(0));
}

TEST(TokenShard, what_cannot_be_is_not_written) {
  ShardWriter writer({.voice_dim = 3});
  TrainingClip clip = example(0);
  clip.codes[2] = 4032;
  EXPECT_THROW(writer.add(clip), Error);
  clip = example(0);
  clip.codes.pop_back();
  EXPECT_THROW(writer.add(clip), Error);
  clip = example(0);
  clip.codes.clear();
  EXPECT_THROW(writer.add(clip), Error);
  clip = example(0);
  clip.voice.pop_back();
  EXPECT_THROW(writer.add(clip), Error);
  clip = example(0);
  clip.voice[0] = NAN;
  EXPECT_THROW(writer.add(clip), Error);
  clip = example(0);
  clip.text[1] = -1;
  EXPECT_THROW(writer.add(clip), Error);
  EXPECT_EQ(writer.clips(), 0u);
  EXPECT_THROW(ShardWriter({.codebook_size = 4097}), Error);
}

// Every flipped bit behind the header is found by verify() if not before.
TEST(TokenShard, a_flipped_bit_is_found) {
  const std::string good = example_bytes(3);
  const size_t header = 8 + static_cast<unsigned char>(good[0]) +
                        256 * static_cast<size_t>(static_cast<unsigned char>(good[1]));
  for (size_t i = header; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    EXPECT_THROW(parsed(bad).verify(), Error) << i;
  }
}

TEST(TokenShard, sections_that_disagree_are_refused) {
  const std::string good = example_bytes(3);
  const auto file = parse_safetensors(std::as_bytes(std::span(good)), "good");
  for (const TensorInfo& changed : file->tensors()) {
    for (const int how : {0, 1}) {  // left out, one row less
      std::vector<TensorToWrite> tensors;
      for (const TensorInfo& t : file->tensors()) {
        TensorToWrite one{t.name, t.dtype, t.shape, t.bytes};
        if (t.name == changed.name) {
          if (how == 0) continue;
          const size_t row = t.bytes.size() / std::max<uint64_t>(1, t.shape[0]);
          --one.shape[0];
          one.bytes = t.bytes.first(t.bytes.size() - row);
        }
        tensors.push_back(one);
      }
      const std::string bad = safetensors_bytes(tensors, file->metadata());
      EXPECT_THROW(parsed(bad), Error) << changed.name << how;
    }
  }
}

TEST(TokenShard, T7_a_file_that_is_cut_while_it_is_open_is_an_error_of_the_clip) {
  namespace fs = std::filesystem;
  const fs::path path = fs::temp_directory_path() / concat("kani-cut-", getpid(), ".kshard");
  const std::string bytes = example_bytes(200);
  write_file(path, bytes);
  const TokenShard shard(path);
  EXPECT_NO_THROW(shard.verify());
  const TrainingClip before = shard.clip(3);
  fs::resize_file(path, 4096);
  EXPECT_EQ(shard.frames(3), before.codes.size() / 4);
  EXPECT_EQ(shard.language(3), before.language);
  EXPECT_THROW(shard.verify(), Error);
  try {
    shard.clip(199);
    FAIL() << "is read";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("ends within section"), std::string::npos)
        << error.what();
  }
  write_file(path, bytes.substr(0, bytes.size() - 1));
  EXPECT_THROW(TokenShard{path}, Error);
  fs::remove(path);
}

TEST(TokenShard, another_file_is_no_shard) {
  const float one[] = {1};
  const TensorToWrite tensor{"x", DType::kF32, {1}, std::as_bytes(std::span(one))};
  EXPECT_THROW(parsed(safetensors_bytes({&tensor, 1})), Error);
}

}  // namespace
}  // namespace kani
