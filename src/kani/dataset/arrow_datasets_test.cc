// arrow_datasets_test.cc - what we write is loaded by Hugging Face `datasets`, where a Python with
// it is found: KANI_DATASETS_PYTHON names one, else python3 is tried.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "kani/base/file.h"
#include "kani/dataset/arrow_test_files.h"
#include "kani/dataset/arrow_write.h"
#include "kani/formats/test_expect.h"

namespace kani {
namespace {

std::string python() {
  const char* named = std::getenv("KANI_DATASETS_PYTHON");
  return named == nullptr ? "python3" : named;
}

bool has_datasets() {
  return std::system((python() + " -c 'import datasets' >/dev/null 2>&1").c_str()) == 0;
}

void expect_python_agrees(const std::filesystem::path& folder, const std::string& script) {
  write_file(folder / "check.py", script);
  const std::string command = "cd '" + folder.string() + "' && HF_HOME='" + folder.string() +
                              "/home' HF_HUB_OFFLINE=1 " + python() + " check.py > log.txt 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << read_file(folder / "log.txt", 1 << 20);
}

TrainingClip example() {
  TrainingClip clip;
  clip.utf8 = "héllo";
  clip.text = {1, 7};
  clip.codes = {1, 2, 3, 4, 5, 6, 7, 8};
  clip.voice = {0.5F, -0.25F};
  clip.speaker = "anna";
  clip.encoded_len = 2;
  clip.duration_s = 0.16;
  clip.notes = R"({"quality":{"rate_hz":16000,"dc":0.5,"unknown":1}})";
  return clip;
}

TEST(Datasets, load_our_parquet) {
  if (!has_datasets()) GTEST_SKIP() << "SKIPPED: no Python with `datasets` (KANI_DATASETS_PYTHON)";
  const test::TemporaryFolder folder;
  ParquetWriter writer(folder / "train-00000-of-00001.parquet", ShardInfo{});
  writer.add(example());
  writer.finish();
  expect_python_agrees(folder.path(), R"(
from datasets import load_dataset
s = load_dataset('parquet', data_files='train-00000-of-00001.parquet', split='train')
r = s[0]
assert len(s) == 1 and r['text'] == 'h\u00e9llo' and r['nano_layer_2'] == [2, 6], r
assert r['speaker_emb'] == [0.5, -0.25] and r['language'] is None and r['speaker'] == 'anna', r
assert r['encoded_len'] == 2 and r['duration'] == 0.16 and r['quality']['rate_hz'] == 16000, r
assert r['quality']['dc'] == 0.5 and r['quality']['gain_db'] is None, r
assert 'unknown' not in r['quality'], r
)");
}

TEST(Datasets, load_our_processed_set) {
  if (!has_datasets()) GTEST_SKIP() << "SKIPPED: no Python with `datasets` (KANI_DATASETS_PYTHON)";
  const test::TemporaryFolder folder;
  SequenceSetWriter writer(folder.path(), test::tiny_layout());
  writer.add(example());
  writer.finish();
  expect_python_agrees(folder.path(), R"(
from datasets import load_from_disk
s = load_from_disk('.')
r = s[0]
ids = [403, 1, 7, 2, 404, 405, 401, 411, 472, 533, 594, 415, 476, 537, 598, 402, 406]
assert len(s) == 1 and r['input_ids'] == ids and r['labels'] == ids, r
assert r['attention_mask'] == [1] * len(ids) and r['speaker_emb'] == [0.5, -0.25], r
assert r['encoded_len'] == 2, r
)");
}

}  // namespace
}  // namespace kani
