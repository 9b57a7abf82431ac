// recordings.cc - see recordings.h: which recordings there are, and reading one.
#include "kani/train/speaker/recordings.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "kani/audio/sinc_resampler.h"
#include "kani/audio/sound_reader.h"
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/log.h"
#include "kani/base/sha256.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr int kRateHz = 16000;
constexpr size_t kMostSamples = 30 * kRateHz;
constexpr uint64_t kMostManifestBytes = uint64_t{1} << 30;
const std::set<std::string> kSoundEndings{".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus"};

uint64_t size_of(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) throw Error(ErrorCode::kNotFound, path, ": ", error.message());
  return size;
}

std::string text_of(const Json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = object.find(name);
    if (found == object.end()) continue;
    if (found->is_string()) return found->get<std::string>();
    if (found->is_number()) return found->dump();
  }
  return {};
}

// Folders below `folder`, or files in it, sorted.
std::vector<fs::path> entries(const fs::path& folder, bool folders) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->is_directory() == folders) out.push_back(it->path());
  }
  if (error) throw Error(ErrorCode::kNotFound, folder, ": ", error.message());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Recordings::Recordings(const std::vector<std::string>& places, int64_t cache_mb)
    : cache_bytes_(cache_mb << 20) {
  for (const fs::path place : places) {
    std::error_code error;
    if (!fs::exists(place, error))
      throw Error(ErrorCode::kNotFound, "no file or folder at ", place);
    if (fs::is_directory(place, error)) {
      read_folder(place);
    } else {
      read_manifest(place);
    }
  }
  if (names_.empty())
    throw Error(ErrorCode::kBadInput, places.empty() ? "no data" : places[0],
                ": no recordings with a speaker in it")
        .with_hint(
            "a .jsonl with \"file\" and \"speaker\", or a folder of sounds for each speaker");
  sort();
}

void Recordings::add(const std::string& speaker, File file) {
  const auto [found, is_new] = index_.try_emplace(speaker, names_.size());
  if (is_new) {
    names_.push_back(speaker);
    files_.emplace_back();
  }
  file.bytes = size_of(file.path);
  files_[found->second].push_back(std::move(file));
}

// By name, so that the order of lines and places does not matter.
void Recordings::sort() {
  std::vector<std::string> names;
  std::vector<std::vector<File>> files;
  for (auto& [name, place] : index_) {
    std::sort(files_[place].begin(), files_[place].end(),
              [](const File& a, const File& b) { return a.label < b.label; });
    files.push_back(std::move(files_[place]));
    place = names.size();
    names.push_back(name);
  }
  names_ = std::move(names);
  files_ = std::move(files);
}

void Recordings::read_manifest(const fs::path& path) {
  const std::string content = read_file(path, kMostManifestBytes);
  std::string_view text = content;
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (row.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string source = concat(path, ": line ", line);
    const Json object = parse_json(row, source, {.depth = 16, .values = 10'000});
    if (!object.is_object()) throw Error(ErrorCode::kBadInput, source, ": no JSON object");
    const std::string sound =
        text_of(object, {"file", "audio", "path", "audio_filepath", "audio_path", "wav"});
    const std::string speaker = text_of(object, {"speaker", "speaker_id", "client_id"});
    if (sound.empty() || speaker.empty())
      throw Error(ErrorCode::kBadInput, source, ": names no ", sound.empty() ? "file" : "speaker");
    add(speaker, {path.parent_path() / sound, sound});
  }
}

void Recordings::read_folder(const fs::path& folder) {
  for (const fs::path& speaker : entries(folder, /*folders=*/true)) {
    for (const fs::path& file : entries(speaker, /*folders=*/false)) {
      if (!kSoundEndings.contains(file.extension().string())) continue;
      add(speaker.filename().string(), {file, file.lexically_relative(folder).string()});
    }
  }
}

size_t Recordings::count() const {
  size_t sum = 0;
  for (const auto& files : files_) sum += files.size();
  return sum;
}

std::string Recordings::hash() const {
  std::string text;
  for (size_t s = 0; s < names_.size(); ++s) {
    text += concat("speaker ", names_[s], "\n");
    for (const File& file : files_[s]) text += concat(file.label, " ", file.bytes, "\n");
  }
  return sha256_hex(std::as_bytes(std::span(text)));
}

Recordings Recordings::split_off(double share) {
  const auto rank = [](const std::string& name) {
    return sha256_hex(std::as_bytes(std::span(name)));
  };
  std::vector<std::string> order = names_;
  std::sort(order.begin(), order.end(),
            [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  const auto wanted = std::max<size_t>(
      2, static_cast<size_t>(std::lround(share * static_cast<double>(order.size()))));
  if (order.size() < wanted + 2)
    throw Error(ErrorCode::kBadInput, order.size(), " speakers: too few to hold back ", wanted,
                " and train on 2 or more")
        .with_hint("name other recordings with --valid");
  Recordings held(cache_bytes_), kept(cache_bytes_);
  const std::set<std::string> chosen(order.begin(), order.begin() + static_cast<ptrdiff_t>(wanted));
  for (size_t s = 0; s < names_.size(); ++s) {
    Recordings& to = chosen.contains(names_[s]) ? held : kept;
    for (File& file : files_[s]) to.add(names_[s], std::move(file));
  }
  held.sort();
  kept.sort();
  *this = std::move(kept);
  return held;
}

std::vector<float> read_reference_sound(const fs::path& path) {
  const Sound sound = read_sound(path);
  std::vector<float> samples = SincResampler(sound.rate_hz, kRateHz).resample(sound.samples);
  if (samples.size() > kMostSamples) samples.resize(kMostSamples);
  double energy = 0;
  for (const float x : samples) energy += double{x} * x;
  if (energy <= 1e-10 * static_cast<double>(samples.size()))
    throw Error(ErrorCode::kBadInput, path, ": silent or empty");
  return samples;
}

const std::vector<float>* Recordings::samples(size_t speaker, size_t index) {
  const auto found = cache_.find({speaker, index});
  if (found != cache_.end()) return &found->second;
  if (unusable_.contains({speaker, index})) return nullptr;
  std::vector<float> samples;
  try {
    samples = read_reference_sound(files_[speaker][index].path);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBadInput) throw;
    log_warning("train", error.what(), "; it is left out");
    unusable_.insert({speaker, index});
    return nullptr;
  }
  const auto bytes = static_cast<int64_t>(samples.size() * sizeof(float));
  if (cached_bytes_ + bytes > cache_bytes_) {
    uncached_ = std::move(samples);
    return &uncached_;
  }
  cached_bytes_ += bytes;
  return &(cache_[{speaker, index}] = std::move(samples));
}

const std::vector<float>& Recordings::samples_from(size_t speaker, size_t index) {
  for (size_t i = 0; i < count(speaker); ++i) {
    if (const auto* found = samples(speaker, (index + i) % count(speaker))) return *found;
  }
  throw Error(ErrorCode::kBadInput, "speaker \"", printable(names_[speaker]), "\" has ",
              count(speaker), " recordings, and none can be used")
      .with_hint("the warnings before say why; take the speaker out of the data");
}

}  // namespace kani::train
