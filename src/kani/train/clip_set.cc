// clip_set.cc - see clip_set.h.
#include "kani/train/clip_set.h"

#include <algorithm>
#include <exception>
#include <map>
#include <optional>
#include <sstream>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/log.h"
#include "kani/base/random.h"
#include "kani/base/sha256.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxManifestBytes = 64 << 20;
constexpr int64_t kMostShards = 1'000'000;

/// Shards by their paths, with the SHA-256 that the folder's MANIFEST has for them, if there is
/// one.
using Shards = std::map<fs::path, std::string>;

// What the MANIFEST says should be there: `hash  name`, a line each.
Shards named_in(const fs::path& manifest) {
  Shards out;
  std::istringstream lines(read_file(manifest, kMaxManifestBytes));
  for (std::string line; std::getline(lines, line);) {
    const size_t at = line.rfind(' ');
    if (at == std::string::npos) continue;
    const fs::path file = manifest.parent_path() / line.substr(at + 1);
    if (file.extension() == ".kshard" && file.parent_path() == manifest.parent_path())
      out[file] = line.substr(0, line.find(' '));
  }
  return out;
}

struct Numbered {
  std::string before, number, count;  // "train-", "00002", "00005"
};
// Of "train-00002-of-00005"; nothing of another name.
std::optional<Numbered> numbered(const std::string& stem) {
  const auto digits = [](const std::string& text) {
    return !text.empty() && text.size() <= 9 &&
           text.find_first_not_of("0123456789") == std::string::npos;
  };
  const size_t of = stem.rfind("-of-");
  if (of == std::string::npos || of == 0) return std::nullopt;
  const size_t begin = stem.find_last_not_of("0123456789", of - 1) + 1;
  Numbered out{stem.substr(0, begin), stem.substr(begin, of - begin), stem.substr(of + 4)};
  if (!digits(out.number) || !digits(out.count)) return std::nullopt;
  return out;
}

// Adds those of "number of count" that are not there, which are then missing.
void add_missing(const fs::path& folder, Shards& shards) {
  std::map<std::string, Numbered> sets;
  for (const auto& [file, hash] : shards) {
    const auto one = numbered(file.stem().string());
    if (!one) continue;
    const auto [known, is_new] = sets.emplace(one->before, *one);
    if (known->second.count != one->count)
      throw Error(ErrorCode::kBadInput, folder, ": has shards of two sets, ", one->before, "*-of-",
                  known->second.count, " and ", one->before, "*-of-", one->count)
          .with_hint("take those of one away, or name the shards one by one");
  }
  for (const auto& [before, one] : sets) {
    for (int64_t i = std::min<int64_t>(std::stoll(one.count), kMostShards) - 1; i >= 0; --i) {
      std::string number = std::to_string(i);
      number.insert(0, one.number.size() - std::min(one.number.size(), number.size()), '0');
      shards.emplace(folder / concat(before, number, "-of-", one.count, ".kshard"), "");
    }
  }
}

Shards shards_in(const fs::path& folder) {
  Shards inside;
  std::error_code ignored;
  const bool listed = fs::exists(folder / "MANIFEST", ignored);
  if (listed) inside = named_in(folder / "MANIFEST");
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".kshard") continue;
    const bool is_new = inside.emplace(entry.path(), "").second;
    if (is_new && listed)
      throw Error(ErrorCode::kBadInput, entry.path(), ": is not named in the MANIFEST beside it")
          .with_hint("it was left by another set: take it away, or name the shards one by one");
  }
  add_missing(folder, inside);
  return inside;
}

Shards shard_files(const fs::path& place, Split split) {
  constexpr const char* kMakes = "kani data build makes such a set out of recordings";
  if (!fs::is_directory(place)) {
    if (fs::exists(place) && place.extension() != ".kshard")
      throw Error(ErrorCode::kBadInput, place,
                  ": is no shard, must be *.kshard or a folder of them")
          .with_hint(kMakes);
    return {{place, ""}};
  }
  Shards inside = shards_in(place);
  if (inside.empty()) throw Error(ErrorCode::kNotFound, "no *.kshard in ", place).with_hint(kMakes);
  const auto is_of = [](const char* prefix) {
    return
        [prefix](const auto& file) { return file.first.filename().string().starts_with(prefix); };
  };
  const auto of_training = is_of("train-"), of_validation = is_of("valid-");
  const bool has_training = std::any_of(inside.begin(), inside.end(), of_training);
  const bool has_validation = std::any_of(inside.begin(), inside.end(), of_validation);
  std::erase_if(inside, [&](const auto& file) {
    if (split == Split::kTrain) return has_training ? !of_training(file) : of_validation(file);
    return (has_training || has_validation) && !of_validation(file);
  });
  if (inside.empty())
    throw Error(ErrorCode::kNotFound, place, " has no ", split == Split::kTrain ? "train" : "valid",
                "-*.kshard")
        .with_hint("kani data build --valid SHARE says what part of a set is kept back");
  return inside;
}

uint64_t hash_of(std::string_view text, uint64_t hash) {
  for (const char c : text) hash = splitmix64(hash ^ static_cast<unsigned char>(c));
  return splitmix64(hash ^ text.size());
}

// Between 0 and 1.
double share_of(uint64_t hash) { return static_cast<double>(hash >> 11) * 0x1p-53; }

// The recording that a clip was cut out of, as its notes have it; empty: not known.
std::string recording_of(const std::string& notes) {
  if (notes.empty()) return "";
  const Json json = try_parse_json(notes);
  const auto found = json.is_object() ? json.find("audio") : json.end();
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

ClipSet::ClipSet(const std::vector<std::string>& places, const TokenLayout& layout,
                 std::vector<LanguageToken> tokens, ClipSetRules rules)
    : tokens_(std::move(tokens)) {
  Sha256 all;
  size_t shards = 0;
  std::exception_ptr first;
  for (const std::string& place : places) {
    for (const auto& [file, expected] : shard_files(place, rules.split)) {
      ++shards;
      try {
        const std::string hash = with_one_retry([&] { return add(file, expected, layout); });
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

std::string ClipSet::add(const fs::path& file, const std::string& expected,
                         const TokenLayout& layout) {
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
  if (!expected.empty() && hash != expected)
    throw Error(ErrorCode::kBadInput, file, ": is another file than its MANIFEST has (SHA-256)");
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
      const bool valid = place < places && share_of(division_key(i)) < valid_share;
      if (valid == (split == Split::kValid)) kept.push_back(where_[i]);
    }
    ends.push_back(kept.size());
  }
  where_ = std::move(kept);
  ends_ = std::move(ends);
}

// Of clips whose recording is not known, what they are themselves.
uint64_t ClipSet::division_key(size_t index) const {
  constexpr uint64_t kSeed = 0x6b616e69;
  const TokenShard& shard = *shards_[where_[index].shard];
  const size_t number = where_[index].clip;
  const std::string recording = recording_of(with_one_retry([&] { return shard.notes(number); }));
  if (!recording.empty())
    return hash_of(recording, hash_of(with_one_retry([&] { return shard.source(number); }), kSeed));
  const TrainingClip whole = clip(index);
  uint64_t hash = kSeed;
  for (const auto* ids : {&whole.text, &whole.codes}) {
    for (const int32_t id : *ids) hash = splitmix64(hash ^ static_cast<uint32_t>(id));
    hash = splitmix64(hash ^ ids->size());
  }
  return hash;
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

std::vector<int32_t> ClipSet::ids(size_t index, const TrainingClip& clip, const TokenLayout& layout,
                                  const SequenceRules& rules) const {
  try {
    return clip_ids(layout, clip, rules);
  } catch (const Error& error) {
    throw Error(error.code(), name(index), ": ", error.what());
  }
}

int ClipSet::voice_dim() const {
  const bool any = std::any_of(where_.begin(), where_.end(), [&](const Place& place) {
    return shards_[place.shard]->has_voice(place.clip);
  });
  return any ? shards_.front()->info().voice_dim : 0;
}

}  // namespace kani::train
