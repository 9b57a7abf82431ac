// kept_data_test.cc - what tests/train/ starts the program with, kept in a folder of their choice:
// the tests' base, their shards, an exported model with the trainer's own logits.
#include <cstdlib>

#include "kani/train/test_run.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

using KeptData = RunTest;

// A few clips whose first frame is there twice.
void write_repeats(const fs::path& path) {
  const TokenLayout layout = TokenLayout::of(load_module(path.parent_path() / "base").config());
  const ClipSet clips({path.parent_path() / "data.kshard"}, layout);
  ShardWriter writer({4, 60, 16, "tiny", ""});
  for (size_t i = 0; i < 4; ++i) {
    TrainingClip clip = clips.clip(i);
    const std::vector<int32_t> frame(clip.codes.begin(), clip.codes.begin() + 4);
    clip.codes.insert(clip.codes.begin(), frame.begin(), frame.end());
    writer.add(clip);
  }
  writer.write(path);
}

TEST_F(KeptData, base_and_shard_are_kept_where_they_are_asked_for) {
  const char* place = std::getenv("KANI_KEEP_TRAIN_DATA");
  if (place == nullptr) GTEST_SKIP() << "KANI_KEEP_TRAIN_DATA is not set";
  fs::create_directories(place);
  write_shard(folder_ / "other.kshard", [](TrainingClip& clip, size_t) { clip.codes[0] = 0; });
  write_repeats(folder_ / "repeats.kshard");
  fs::copy(folder_, place, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  EXPECT_EQ(ClipSet({fs::path(place) / "data.kshard"},
                    TokenLayout::of(load_module(folder_ / "base").config()))
                .size(),
            38u);

  // A trained model as it is exported, and what the trainer itself computes with it.
  Trainer trainer(config("out"), false);
  for (int i = 0; i < 3; ++i) trainer.step();
  trainer.export_model(fs::path(place) / "exported", SavedType::kF32, false);
  const TrainingClip clip = trainer.clips().clip(5);
  const TokenLayout layout = TokenLayout::of(trainer.model().config());
  const std::vector<int32_t> ids = clip_ids(layout, clip, {});
  PackedBatch batch;
  batch.add(layout, {}, ids, clip.voice, 5);
  at::NoGradGuard no_grad;
  const at::Tensor logits = at::mm(trainer.model().forward(batch), trainer.model().head().t());
  save_parameters(fs::path(place) / "logits.safetensors", {{"logits", logits}});
  write_file(fs::path(place) / "ids.json", dump_json(Json(ids)));
  write_file(fs::path(place) / "voice.json", dump_json(Json{{"embedding", clip.voice}}));
}

}  // namespace
}  // namespace kani::train
