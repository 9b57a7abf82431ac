// crops.cc - see recordings.h: crops to train on, clips to measure on.
#include <algorithm>
#include <cmath>

#include "kani/base/random.h"
#include "kani/train/speaker/recordings.h"

namespace kani::train {
namespace {

constexpr double kSamplesPerSecond = 16000;

// A generator for each thing that is drawn, so that none depends on how often another drew.
Random random_for(uint64_t seed, int64_t step, int64_t item) {
  return Random(splitmix64(splitmix64(splitmix64(seed) ^ static_cast<uint64_t>(step)) ^
                           static_cast<uint64_t>(item + 1)));
}

size_t below(Random& random, size_t count) {
  return std::min(count - 1,
                  static_cast<size_t>(random.next_uniform() * static_cast<double>(count)));
}

double between(Random& random, double least, double most) {
  return least + (most - least) * random.next_uniform();
}

void add_noise(std::vector<float>& crop, double signal_to_noise_db, Random& random) {
  double energy = 0;
  for (const float x : crop) energy += double{x} * x;
  const double deviation = std::sqrt(energy / static_cast<double>(crop.size())) *
                           std::pow(10.0, -signal_to_noise_db / 20);
  for (float& x : crop) x += static_cast<float>(deviation * random.next_normal());
}

std::vector<float> make_crop(Recordings& recordings, const SpeakerTrainConfig& c, size_t speaker,
                             size_t length, Random& random) {
  std::vector<float> crop;
  crop.reserve(length);
  while (crop.size() < length) {
    const std::vector<float>& sound =
        recordings.samples_from(speaker, below(random, recordings.count(speaker)));
    const double gain = std::pow(10.0, between(random, -c.gain_db, c.gain_db) / 20);
    const size_t wanted = std::min(length - crop.size(), sound.size());
    const size_t first = below(random, sound.size() - wanted + 1);
    for (size_t i = 0; i < wanted; ++i)
      crop.push_back(static_cast<float>(gain * double{sound[first + i]}));
  }
  if (random.next_uniform() < c.noise_share)
    add_noise(crop, between(random, c.noise_least_db, c.noise_most_db), random);
  return crop;
}

}  // namespace

void normalize_signal(std::vector<float>& samples) {
  double sum = 0, squares = 0;
  for (const float x : samples) sum += x;
  const double mean = sum / static_cast<double>(samples.size());
  for (const float x : samples) squares += (x - mean) * (x - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(samples.size() - 1)) + 1e-10;
  for (float& x : samples) x = static_cast<float>((x - mean) / deviation);
}

CropBatch make_crops(Recordings& recordings, const SpeakerTrainConfig& c, int64_t step) {
  Random shared = random_for(c.seed, step, -1);
  CropBatch batch;
  batch.length = static_cast<int64_t>(
      std::lround(kSamplesPerSecond * between(shared, c.min_seconds, c.max_seconds)));
  for (int64_t item = 0; item < c.batch_size; ++item) {
    Random random = random_for(c.seed, step, item);
    const size_t speaker = below(random, recordings.speakers());
    std::vector<float> crop =
        make_crop(recordings, c, speaker, static_cast<size_t>(batch.length), random);
    normalize_signal(crop);
    batch.samples.insert(batch.samples.end(), crop.begin(), crop.end());
    batch.speakers.push_back(static_cast<int64_t>(speaker));
  }
  return batch;
}

std::vector<TestClip> make_test_clips(Recordings& recordings, const SpeakerTrainConfig& c) {
  const auto least = static_cast<size_t>(kSamplesPerSecond * c.eval_seconds);
  std::vector<TestClip> clips;
  for (size_t speaker = 0; speaker < recordings.speakers(); ++speaker) {
    std::vector<float> joined;
    int64_t made = 0;
    for (size_t i = 0; i < recordings.count(speaker) && made < c.eval_clips; ++i) {
      const std::vector<float>* sound = recordings.samples(speaker, i);
      if (sound == nullptr) continue;
      joined.insert(joined.end(), sound->begin(), sound->end());
      if (joined.size() < least) continue;
      normalize_signal(joined);
      clips.push_back({std::move(joined), speaker});
      joined.clear();
      ++made;
    }
  }
  return clips;
}

}  // namespace kani::train
