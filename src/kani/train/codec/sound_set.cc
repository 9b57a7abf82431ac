// sound_set.cc - see sound_set.h.
#include "kani/train/codec/sound_set.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include "kani/audio/resampler.h"
#include "kani/audio/sound_reader.h"
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/log.h"
#include "kani/base/random.h"
#include "kani/base/sha256.h"

namespace kani::train {
const char* path_key_of_record(const Json& record, const std::string& where) {
  for (const char* key : {"audio", "path", "file", "audio_filepath", "audio_path", "wav"}) {
    if (record.is_object() && record.contains(key) && record[key].is_string()) return key;
  }
  throw Error(ErrorCode::kBadInput, where,
              ": names no sound (audio, path, file, audio_filepath, "
              "audio_path or wav)");
}

std::string path_in_record(const Json& record, const std::string& where) {
  return record[path_key_of_record(record, where)].get<std::string>();
}

namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxListBytes = uint64_t{1} << 30;

std::string ending(const fs::path& path) {
  std::string out = path.extension().string();
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_sound(const fs::path& path) {
  const std::string end = ending(path);
  for (const char* known : {".wav", ".flac", ".mp3", ".ogg", ".opus"}) {
    if (end == known) return true;
  }
  return false;
}

void add_list(const fs::path& list, bool records, std::vector<fs::path>& out) {
  std::istringstream lines(read_file(list, kMaxListBytes));
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    const std::string where = concat(list, ": line ", number);
    const std::string path = records ? path_in_record(parse_json(line, where), where) : line;
    out.push_back(list.parent_path() / path);  // an absolute path stays as it is
  }
}

std::vector<fs::path> files_of(const std::vector<std::string>& places) {
  std::vector<fs::path> out;
  for (const fs::path place : places) {
    if (!fs::exists(place)) throw Error(ErrorCode::kNotFound, "no such file or folder: ", place);
    if (fs::is_directory(place)) {
      const size_t before = out.size();
      for (const auto& entry : fs::recursive_directory_iterator(
               place, fs::directory_options::follow_directory_symlink)) {
        if (entry.is_regular_file() && is_sound(entry.path())) out.push_back(entry.path());
      }
      std::sort(out.begin() + static_cast<ptrdiff_t>(before), out.end());
    } else if (ending(place) == ".txt" || ending(place) == ".jsonl") {
      add_list(place, ending(place) == ".jsonl", out);
    } else {
      out.push_back(place);
    }
  }
  return out;
}

void append(const std::vector<float>& sound, std::vector<int16_t>& out) {
  for (const float value : sound)
    out.push_back(
        static_cast<int16_t>(std::lrintf(std::clamp(value * 32768.0F, -32768.0F, 32767.0F))));
}

}  // namespace

SoundSet::SoundSet(const std::vector<std::string>& places, int rate_hz, int samples_per_frame)
    : rate_hz_(rate_hz), hop_(samples_per_frame) {
  for (const fs::path& file : files_of(places)) {
    try {
      Sound sound = read_sound(file);
      if (sound.rate_hz != rate_hz)
        sound.samples = resample(sound.samples, sound.rate_hz, rate_hz, ResamplerQuality::kHigh);
      if (sound.samples.empty()) throw Error(ErrorCode::kBadInput, file, ": holds no sound");
      append(sound.samples, samples_);
    } catch (const Error& error) {
      log_warning("train", error.what(), "; the recording is left out");
      continue;
    }
    names_.push_back(file.string());
    starts_.push_back(samples_.size());
    longest_ = std::max(longest_, frames(size() - 1));
  }
  samples_.shrink_to_fit();
  if (names_.empty()) throw Error(ErrorCode::kBadInput, "no recordings in the places of data");
  Sha256 hash;
  hash.update(std::as_bytes(std::span(samples_)));
  hash.update(std::as_bytes(std::span(starts_)));
  hash_ = hex_text(hash.finish());
}

double SoundSet::seconds() const { return static_cast<double>(samples_.size()) / rate_hz_; }

int64_t SoundSet::frames(size_t recording) const {
  const auto length = static_cast<int64_t>(starts_[recording + 1] - starts_[recording]);
  return (length + hop_ - 1) / hop_;
}

Crop SoundSet::crop(uint64_t seed, uint64_t update, uint64_t item, int64_t frames,
                    double starts) const {
  Random random(splitmix64(splitmix64(splitmix64(seed) ^ update) ^ item));
  // A recording as often as it has places, by rejection: no table that hangs on `frames`.
  for (;;) {
    const auto recording = static_cast<size_t>(random.next_uniform() * static_cast<double>(size()));
    const int64_t places = std::max<int64_t>(1, this->frames(recording) - frames + 1);
    const auto place = static_cast<int64_t>(random.next_uniform() * static_cast<double>(longest_));
    const auto shift = static_cast<int64_t>(random.next_uniform() * static_cast<double>(hop_));
    if (place >= places) continue;
    if (starts > 0 && random.next_uniform() < starts) return {recording, 0, 0};
    return {recording, place, shift};
  }
}

at::Tensor SoundSet::samples(size_t recording, int64_t begin, int64_t count) const {
  const auto length = static_cast<int64_t>(starts_[recording + 1] - starts_[recording]);
  const int64_t from = std::clamp<int64_t>(begin, 0, length),
                to = std::clamp<int64_t>(begin + count, 0, length);
  at::Tensor out = at::zeros({count}, at::kFloat);
  float* target = out.mutable_data_ptr<float>() + (from - begin);
  const int16_t* source = samples_.data() + starts_[recording] + from;
  for (int64_t i = 0; i < to - from; ++i) target[i] = static_cast<float>(source[i]) / 32768.0F;
  return out;
}

}  // namespace kani::train
