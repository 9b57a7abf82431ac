// clip_set.cc - see clip_set.h.
#include "kani/train/clip_set.h"

#include <algorithm>
#include <exception>
#include <sstream>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/base/random.h"
#include "kani/base/sha256.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxManifestBytes = 64 << 20;

std::vector<fs::path> shards_in(const fs::path& folder) {
  std::vector<fs::path> inside;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".kshard") inside.push_back(entry.path());
  }
  // What should be there: `hash  name`, a line each.
  if (std::error_code ignored; fs::exists(folder / "MANIFEST", ignored)) {
    std::istringstream lines(read_file(folder / "MANIFEST", kMaxManifestBytes));
    for (std::string line; std::getline(lines, line);) {
      const size_t at = line.rfind(' ');
      const fs::path file = folder / line.substr(at == std::string::npos ? 0 : at + 1);
      if (file.extension() == ".kshard" && file.parent_path() == folder) inside.push_back(file);
    }
  }
  std::sort(inside.begin(), inside.end());
  inside.erase(std::unique(inside.begin(), inside.end()), inside.end());
  return inside;
}

std::vector<fs::path> shard_files(const fs::path& place, Split split) {
  if (!fs::is_directory(place)) return {place};
  std::vector<fs::path> inside = shards_in(place);
  if (inside.empty()) throw Error(ErrorCode::kNotFound, "no *.kshard in ", place);
  const auto is_of = [](const char* prefix) {
    return [prefix](const fs::path& file) { return file.filename().string().starts_with(prefix); };
  };
  const auto of_training = is_of("train-"), of_validation = is_of("valid-");
  const bool has_training = std::any_of(inside.begin(), inside.end(), of_training);
  const bool has_validation = std::any_of(inside.begin(), inside.end(), of_validation);
  std::erase_if(inside, [&](const fs::path& file) {
    if (split == Split::kTrain) return has_training ? !of_training(file) : of_validation(file);
    return (has_training || has_validation) && !of_validation(file);
  });
  if (inside.empty())
    throw Error(ErrorCode::kNotFound, place, " has no ", split == Split::kTrain ? "train" : "valid",
                "-*.kshard")
        .with_hint("kani data build --valid SHARE says what part of a set is kept back");
  return inside;
}

// Whether a number between 0 and 1 that follows from the clip's text and codes is less.
bool falls_below(double share, const TrainingClip& clip) {
  uint64_t hash = 0x6b616e69;
  for (const auto* ids : {&clip.text, &clip.codes}) {
    for (const int32_t id : *ids) hash = splitmix64(hash ^ static_cast<uint32_t>(id));
    hash = splitmix64(hash ^ ids->size());
  }
  return static_cast<double>(hash >> 11) * 0x1p-53 < share;
}

}  // namespace

ClipSet::ClipSet(const std::vector<std::string>& places, const TokenLayout& layout,
                 std::vector<LanguageToken> tokens, ClipSetRules rules)
    : tokens_(std::move(tokens)) {
  Sha256 all;
  size_t shards = 0;
  std::exception_ptr first;
  for (const std::string& place : places) {
    for (const fs::path& file : shard_files(place, rules.split)) {
      ++shards;
      try {
        const std::string hash = with_one_retry([&] { return add(file, layout); });
        all.update(std::as_bytes(std::span(hash)));
      } catch (const Error& error) {
        if (!first) first = std::current_exception();
        bad_.emplace_back(error.what());
      }
    }
    ends_.push_back(where_.size());
  }
  if (static_cast<double>(bad_.size()) > rules.bad_share * static_cast<double>(shards)) {
    if (shards == 1) std::rethrow_exception(first);
    throw Error(ErrorCode::kBadInput, bad_.front(), "; ", bad_.size(), " of ", shards,
                " shards cannot be used, allowed are ", 100 * rules.bad_share, " %")
        .with_hint("make them anew, or let bad_shard_share allow more");
  }
  for (const std::string& why : bad_) log_warning("train", why, "; the shard is left out");
  if (where_.empty()) throw Error(ErrorCode::kBadInput, "the shards hold no clips");
  hash_ = hex_text(all.finish());
}

std::string ClipSet::add(const fs::path& file, const TokenLayout& layout) {
  TokenShard shard(file);
  shard.verify();
  const ShardInfo& info = shard.info();
  if (info.codebooks != layout.codebooks || info.codebook_size != layout.codebook_size) {
    throw Error(ErrorCode::kBadInput, file, ": ", info.codebooks, " codebooks of ",
                info.codebook_size, " codes, the model has ", layout.codebooks, " of ",
                layout.codebook_size);
  }
  if (!shards_.empty() && (info.tokenizer != shards_[0]->info().tokenizer ||
                           info.voice_dim != shards_[0]->info().voice_dim))
    throw Error(ErrorCode::kBadInput, file, ": made with another tokenizer or voice size than ",
                shards_[0]->path());
  std::string hash = sha256_hex(file);
  const auto number = static_cast<uint32_t>(shards_.size());
  for (size_t i = 0; i < shard.clips(); ++i) where_.push_back({number, static_cast<uint32_t>(i)});
  shards_.push_back(std::make_shared<const TokenShard>(std::move(shard)));
  return hash;
}

void ClipSet::keep(Split split, double valid_share, size_t places) {
  std::vector<Place> kept;
  std::vector<size_t> ends;
  size_t i = 0;
  for (size_t place = 0; place < ends_.size(); ++place) {
    for (; i < ends_[place]; ++i) {
      const bool valid = place < places && falls_below(valid_share, clip(i));
      if (valid == (split == Split::kValid)) kept.push_back(where_[i]);
    }
    ends.push_back(kept.size());
  }
  where_ = std::move(kept);
  ends_ = std::move(ends);
}

TrainingClip ClipSet::clip(size_t index) const {
  const Place& place = where_[index];
  TrainingClip clip = with_one_retry([&] { return shards_[place.shard]->clip(place.clip); });
  put_language_token(tokens_, clip);
  return clip;
}

int64_t ClipSet::length(size_t index) const {
  const Place& place = where_[index];
  const TokenShard& shard = *shards_[place.shard];
  constexpr size_t kControl = 7;  // SOH, END_OF_TEXT, EOH, SOA, SOS, EOS, EOA
  return static_cast<int64_t>(shard.text_length(place.clip) + kControl +
                              shard.frames(place.clip) *
                                  static_cast<size_t>(shard.info().codebooks) +
                              (shard.has_voice(place.clip) ? 1 : 0));
}

const std::string& ClipSet::language(size_t index) const {
  return shards_[where_[index].shard]->language(where_[index].clip);
}

std::string ClipSet::name(size_t index) const {
  const Place& place = where_[index];
  return concat(shards_[place.shard]->path().filename(), ":", place.clip);
}

int ClipSet::voice_dim() const { return shards_.front()->info().voice_dim; }

}  // namespace kani::train
