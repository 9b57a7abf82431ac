// clip_set.cc - see clip_set.h.
#include "kani/train/clip_set.h"

#include <algorithm>

#include "kani/base/error.h"
#include "kani/base/sha256.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> shard_files(const fs::path& place) {
  if (!fs::is_directory(place)) return {place};
  std::vector<fs::path> inside;
  for (const auto& entry : fs::directory_iterator(place)) {
    if (entry.path().extension() == ".kshard") inside.push_back(entry.path());
  }
  // A set of kani-data holds clips that must not be trained on, too.
  const auto is_training = [](const fs::path& file) {
    return file.filename().string().starts_with("train-");
  };
  if (std::any_of(inside.begin(), inside.end(), is_training))
    std::erase_if(inside, [&](const fs::path& file) { return !is_training(file); });
  if (inside.empty()) throw Error(ErrorCode::kNotFound, "no *.kshard in ", place);
  std::sort(inside.begin(), inside.end());
  return inside;
}

}  // namespace

ClipSet::ClipSet(const std::vector<std::string>& places, const TokenLayout& layout,
                 std::vector<LanguageToken> tokens)
    : tokens_(std::move(tokens)) {
  Sha256 all;
  for (const std::string& place : places) {
    for (const fs::path& file : shard_files(place)) {
      const std::string hash = add(file, layout);
      all.update(std::as_bytes(std::span(hash)));
    }
    ends_.push_back(where_.size());
  }
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
  if (!shards_.empty() && (info.tokenizer != shards_[0].info().tokenizer ||
                           info.voice_dim != shards_[0].info().voice_dim))
    throw Error(ErrorCode::kBadInput, file, ": made with another tokenizer or voice size than ",
                shards_[0].path());
  const auto number = static_cast<uint32_t>(shards_.size());
  for (size_t i = 0; i < shard.clips(); ++i) where_.push_back({number, static_cast<uint32_t>(i)});
  shards_.push_back(std::move(shard));
  return sha256_hex(file);
}

TrainingClip ClipSet::clip(size_t index) const {
  const Place& place = where_[index];
  TrainingClip clip = shards_[place.shard].clip(place.clip);
  put_language_token(tokens_, clip);
  return clip;
}

int64_t ClipSet::length(size_t index) const {
  const Place& place = where_[index];
  const TokenShard& shard = shards_[place.shard];
  constexpr size_t kControl = 7;  // SOH, END_OF_TEXT, EOH, SOA, SOS, EOS, EOA
  return static_cast<int64_t>(shard.text_length(place.clip) + kControl +
                              shard.frames(place.clip) *
                                  static_cast<size_t>(shard.info().codebooks) +
                              (shard.has_voice(place.clip) ? 1 : 0));
}

const std::string& ClipSet::language(size_t index) const {
  return shards_[where_[index].shard].language(where_[index].clip);
}

std::string ClipSet::name(size_t index) const {
  const Place& place = where_[index];
  return concat(shards_[place.shard].path().filename(), ":", place.clip);
}

int ClipSet::voice_dim() const { return shards_.front().info().voice_dim; }

}  // namespace kani::train
