// test_run.h - a run on the reference data, for tests: the tiny model as a complete base, its rows
// as a shard, a configuration for twelve short updates.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/train/trainer.h"

namespace kani::train {

inline const std::filesystem::path kReferenceData =
    std::filesystem::path(KANI_TEST_DATA) / "training";

class RunTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ / "base");
    // A complete base: upstream's files know nothing of Kani's own keys.
    Json config = parse_json(
        read_file(kReferenceData / "tiny" / "init" / "config.json", kMaxConfigBytes), "config");
    config["audio_tokens_start"] = 410;
    config["speaker_emb_dim"] = 16;
    write_file(folder_ / "base" / "config.json", dump_json(config));
    std::filesystem::copy(kReferenceData / "tiny" / "init" / "model.safetensors", folder_ / "base");
    write_shard(folder_ / "data.kshard", nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // The reference rows as a shard; `change` may spoil clips.
  static void write_shard(const std::filesystem::path& path,
                          const std::function<void(TrainingClip&, size_t)>& change) {
    Lfm2Config config;
    config.vocab_size = 650;
    config.audio_tokens_start = 410;
    const ParameterMap rows = load_tensors(kReferenceData / "tiny" / "rows.safetensors");
    const at::Tensor offsets = rows.at("offsets"), ids = rows.at("input_ids"),
                     voices = rows.at("speaker_emb");
    ShardWriter writer({4, 60, 16, "tiny", ""});
    for (int64_t i = 0; i + 1 < offsets.size(0); ++i) {
      const auto begin = offsets[i].item<int64_t>(), end = offsets[i + 1].item<int64_t>();
      TrainingClip clip =
          clip_of_ids(TokenLayout::of(config),
                      {ids.const_data_ptr<int32_t>() + begin, static_cast<size_t>(end - begin)});
      const auto* voice = voices.const_data_ptr<float>() + i * 16;
      clip.voice.assign(voice, voice + 16);
      if (change) change(clip, static_cast<size_t>(i));
      writer.add(clip);
    }
    writer.write(path);
  }

  TrainConfig config(const std::string& out) const {
    TrainConfig c;
    c.model_id = folder_ / "base";
    c.data = {folder_ / "data.kshard"};
    c.output_dir = folder_ / out;
    c.optimizer.warmup_steps = 4;
    c.max_steps = 12;
    c.pack_length = 256;
    c.batch_tokens = 768;
    c.loss_chunk = 64;
    return c;
  }

  static std::string weights(const std::filesystem::path& out) {
    return read_file(*find_checkpoint(out) / "model.safetensors", 1 << 24);
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() /
      concat("kani-trainer-", getpid(), "-",
             testing::UnitTest::GetInstance()->current_test_info()->name());
};

}  // namespace kani::train
