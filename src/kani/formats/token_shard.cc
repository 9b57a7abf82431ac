// token_shard.cc - see token_shard.h.
#include "kani/formats/token_shard.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "kani/base/error.h"
#include "kani/base/json.h"
#include "kani/base/sha256.h"
#include "kani/formats/safetensors.h"

namespace kani {
namespace {

constexpr int kCodeBits = 12;
constexpr const char* kFormat = "kani-shard";
constexpr uint64_t kMostClips = uint64_t{1} << 32;
constexpr size_t kBlockBytes = 1 << 20;

size_t frame_bytes(int codebooks) { return (static_cast<size_t>(codebooks) * kCodeBits + 7) / 8; }

void pack_frame(const int32_t* codes, int codebooks, uint8_t* out) {
  for (int k = 0; k < codebooks; ++k) {
    for (int bit = 0; bit < kCodeBits; ++bit) {
      const int place = k * kCodeBits + bit;
      if ((codes[k] >> bit & 1) != 0)
        out[place / 8] = static_cast<uint8_t>(out[place / 8] | 1 << place % 8);
    }
  }
}

int32_t unpack_code(const uint8_t* frame, int codebook) {
  const int place = codebook * kCodeBits;
  // A code lies in two neighbours: 12 bits that begin at bit 0 or 4 of a byte.
  const int pair = frame[place / 8] | frame[place / 8 + 1] << 8;
  return pair >> place % 8 & ((1 << kCodeBits) - 1);
}

template <typename T>
TensorToWrite section(const char* name, DType type, const std::vector<T>& values,
                      std::vector<uint64_t> shape) {
  return {name, type, std::move(shape), std::as_bytes(std::span(values))};
}

std::string list_text(const std::vector<std::string>& names) { return dump_json(Json(names)); }

}  // namespace

TokenShard::TokenShard(const std::filesystem::path& path)
    : map_(path), input_(path), file_(parse_safetensors(map_->bytes(), path)) {
  read_header();
}

TokenShard::TokenShard(std::span<const std::byte> bytes, const std::filesystem::path& name)
    : file_(parse_safetensors(bytes, name)) {
  read_header();
}

void TokenShard::read(const TensorInfo& section, uint64_t offset, std::span<std::byte> out) const {
  if (!input_) {
    if (!out.empty()) std::memcpy(out.data(), section.bytes.data() + offset, out.size());
    return;
  }
  const auto begin = static_cast<uint64_t>(section.bytes.data() - map_->bytes().data());
  if (input_->read_at(begin + offset, out) != out.size())
    throw Error(ErrorCode::kBadInput, path(), ": ends within section ", section.name,
                "; it was longer when it was opened");
}

// Number `index` of a section.
template <typename T>
T TokenShard::value(const TensorInfo& section, size_t index) const {
  T out;
  read(section, index * sizeof(T), std::as_writable_bytes(std::span(&out, 1)));
  return out;
}

template <typename T>
std::vector<T> TokenShard::whole(const TensorInfo& section) const {
  std::vector<T> out(section.bytes.size() / sizeof(T));
  read(section, 0, std::as_writable_bytes(std::span(out)));
  return out;
}

void TokenShard::read_header() {
  const auto& metadata = file_->metadata();
  const auto refuse = [&](const auto&... why) {
    throw Error(ErrorCode::kBadInput, path(), ": ", why...);
  };
  const auto text = [&](const char* key) -> const std::string& {
    const auto found = metadata.find(key);
    if (found == metadata.end()) refuse("no \"", key, "\" in the metadata: not a shard");
    return found->second;
  };
  const auto number = [&](const char* key, int least, int most) {
    const std::string& digits = text(key);
    char* end = nullptr;
    const long value = std::strtol(digits.c_str(), &end, 10);
    if (digits.empty() || *end != 0 || value < least || value > most)
      refuse(key, " is \"", digits, "\", must be ", least, " to ", most);
    return static_cast<int>(value);
  };
  const auto names = [&](const char* key) {
    const Json list = parse_json(text(key), concat(path(), ": ", key));
    std::vector<std::string> out;
    if (!list.is_array()) refuse(key, " is no list");
    for (const Json& one : list) {
      if (!one.is_string()) refuse(key, " holds something that is no string");
      out.push_back(one.get<std::string>());
    }
    return out;
  };
  if (text("format") != kFormat) refuse("format is \"", text("format"), "\", not ", kFormat);
  number("version", 1, 1);
  info_.codebooks = number("codebooks", 1, 32);
  info_.codebook_size = number("codebook_size", 1, 1 << kCodeBits);
  info_.tokenizer = text("tokenizer");
  info_.text_rules = text("text_rules");
  languages_ = names("languages");
  speakers_ = names("speakers");
  sources_ = names("sources");

  const auto find = [&](const char* name, DType type, size_t rank) {
    const TensorInfo* tensor = file_->find(name);
    if (tensor == nullptr) refuse("section ", name, " is missing");
    if (tensor->dtype != type || tensor->shape.size() != rank) {
      refuse("section ", name, " is ", dtype_name(tensor->dtype), " ", shape_text(tensor->shape),
             ", must be ", dtype_name(type), " of ", rank,
             rank == 1 ? " dimension" : " dimensions");
    }
    return tensor;
  };
  encoded_len_ = find("encoded_len", DType::kI64, 1);
  if (encoded_len_->shape[0] > kMostClips) refuse("too many clips");
  clips_ = encoded_len_->shape[0];
  const auto column = [&](const char* name, DType type) {
    const TensorInfo* tensor = find(name, type, 1);
    if (tensor->shape[0] != clips_)
      refuse("section ", name, " has ", tensor->shape[0], " rows for ", clips_, " clips");
    return tensor;
  };
  duration_ = column("duration", DType::kF64);
  speaker_ = column("speaker", DType::kI32);
  source_ = column("source", DType::kI32);
  voices_ = find("voices", DType::kF32, 2);
  info_.voice_dim = static_cast<int>(std::min<uint64_t>(voices_->shape[1], 1 << 20));
  codes_ = find("codes", DType::kU8, 2);
  if (codes_->shape[1] != frame_bytes(info_.codebooks))
    refuse("a frame has ", codes_->shape[1], " bytes, must be ", frame_bytes(info_.codebooks));
  text_ = find("text_ids", DType::kI32, 1);
  utf8_ = find("utf8", DType::kU8, 1);
  notes_ = find("notes", DType::kU8, 1);
  records_ = find("records", DType::kU8, 2);
  if (records_->shape[0] != clips_ || records_->shape[1] != 32)
    refuse("section records is ", shape_text(records_->shape));
  const auto offsets = [&](const char* name, uint64_t end) {
    const TensorInfo* tensor = find(name, DType::kU64, 1);
    if (tensor->shape[0] != clips_ + 1)
      refuse("section ", name, " does not fit ", clips_, " clips");
    uint64_t before = 0;
    std::vector<uint64_t> values = whole<uint64_t>(*tensor);
    for (size_t i = 0; i <= clips_; ++i) {
      const uint64_t value = values[i];
      if (value < before || value > end || (i == 0 && value != 0))
        refuse("section ", name, ": offset ", value, " of clip ", i, " is out of order");
      before = value;
    }
    if (before != end) refuse("section ", name, " ends at ", before, ", must end at ", end);
    return std::pair(tensor, std::move(values));
  };
  text_offsets_ = offsets("text_offsets", text_->shape[0]).second;
  frame_offsets_ = offsets("frame_offsets", codes_->shape[0]).second;
  utf8_offsets_ = offsets("utf8_offsets", utf8_->shape[0]).first;
  note_offsets_ = offsets("note_offsets", notes_->shape[0]).first;
  const auto indexes = [&](const TensorInfo* tensor, uint64_t count) {
    std::vector<int32_t> values = whole<int32_t>(*tensor);
    for (size_t i = 0; i < clips_; ++i) {
      const int32_t value = values[i];
      if (value < -1 || (value >= 0 && static_cast<uint64_t>(value) >= count))
        refuse("section ", tensor->name, ": ", value, " of clip ", i, " is not below ", count);
    }
    return values;
  };
  language_ = indexes(column("language", DType::kI32), languages_.size());
  indexes(speaker_, speakers_.size());
  indexes(source_, sources_.size());
  voice_ = indexes(column("voice", DType::kI32), voices_->shape[0]);
}

size_t TokenShard::text_length(size_t index) const {
  return text_offsets_[index + 1] - text_offsets_[index];
}

size_t TokenShard::frames(size_t index) const {
  return frame_offsets_[index + 1] - frame_offsets_[index];
}

bool TokenShard::has_voice(size_t index) const { return voice_[index] >= 0; }

double TokenShard::duration_s(size_t index) const { return value<double>(*duration_, index); }

// The file may have been written anew since its header was read.
const std::string& TokenShard::name_of(const std::vector<std::string>& names, int32_t which) const {
  static const std::string kNone;
  if (which < 0) return kNone;
  if (static_cast<size_t>(which) >= names.size())
    throw Error(ErrorCode::kBadInput, path(), ": was changed while it was open");
  return names[static_cast<size_t>(which)];
}

const std::string& TokenShard::language(size_t index) const {
  return name_of(languages_, language_[index]);
}
const std::string& TokenShard::speaker(size_t index) const {
  return name_of(speakers_, value<int32_t>(*speaker_, index));
}
const std::string& TokenShard::source(size_t index) const {
  return name_of(sources_, value<int32_t>(*source_, index));
}

std::array<std::byte, 32> TokenShard::record(size_t index) const {
  return value<std::array<std::byte, 32>>(*records_, index);
}

std::string TokenShard::text_of(const TensorInfo& part, const TensorInfo& offsets,
                                size_t index) const {
  const auto begin = value<uint64_t>(offsets, index), end = value<uint64_t>(offsets, index + 1);
  if (begin > end || end > part.bytes.size())
    throw Error(ErrorCode::kBadInput, path(), ": was changed while it was open");
  std::string out(end - begin, ' ');
  read(part, begin, std::as_writable_bytes(std::span(out)));
  return out;
}

std::string TokenShard::notes(size_t index) const {
  return text_of(*notes_, *note_offsets_, index);
}

void TokenShard::read_codes(size_t index, TrainingClip& clip) const {
  const size_t count = frames(index), width = frame_bytes(info_.codebooks);
  std::vector<uint8_t> packed(count * width);
  read(*codes_, frame_offsets_[index] * width, std::as_writable_bytes(std::span(packed)));
  clip.codes.reserve(count * static_cast<size_t>(info_.codebooks));
  const uint8_t* frame = packed.data();
  for (size_t f = 0; f < count; ++f, frame += width) {
    for (int k = 0; k < info_.codebooks; ++k) {
      const int32_t code = unpack_code(frame, k);
      if (code >= info_.codebook_size) {
        throw Error(ErrorCode::kBadInput, path(), ": clip ", index, ", frame ", f, ", codebook ", k,
                    ": code ", code, ", must be below ", info_.codebook_size);
      }
      clip.codes.push_back(code);
    }
  }
}

void TokenShard::read_voice(int32_t voice, TrainingClip& clip) const {
  if (voice < 0) return;
  clip.voice.resize(static_cast<size_t>(info_.voice_dim));
  read(*voices_, static_cast<size_t>(voice) * clip.voice.size() * sizeof(float),
       std::as_writable_bytes(std::span(clip.voice)));
  for (const float number : clip.voice) {
    if (!std::isfinite(number))
      throw Error(ErrorCode::kBadInput, path(), ": voice ", voice, " is not finite");
  }
}

TrainingClip TokenShard::clip(size_t index) const {
  require(index < clips_, "clip ", index, " of ", clips_);
  TrainingClip clip;
  clip.text.resize(text_length(index));
  read(*text_, text_offsets_[index] * sizeof(int32_t),
       std::as_writable_bytes(std::span(clip.text)));
  for (const int32_t id : clip.text) {
    if (id < 0) throw Error(ErrorCode::kBadInput, path(), ": clip ", index, " has text id ", id);
  }
  read_codes(index, clip);
  read_voice(voice_[index], clip);
  clip.language = language(index);
  clip.speaker = speaker(index);
  clip.source = source(index);
  clip.encoded_len = value<int64_t>(*encoded_len_, index);
  clip.duration_s = duration_s(index);
  clip.record = record(index);
  clip.utf8 = text_of(*utf8_, *utf8_offsets_, index);
  clip.notes = notes(index);
  return clip;
}

void TokenShard::verify() const {
  std::vector<std::byte> block;
  for (const TensorInfo& tensor : file_->tensors()) {
    const auto found = file_->metadata().find("sha256." + tensor.name);
    if (found == file_->metadata().end())
      throw Error(ErrorCode::kBadInput, path(), ": no hash of section ", tensor.name);
    Sha256 hash;
    for (size_t at = 0; at < tensor.bytes.size(); at += block.size()) {
      block.resize(std::min(kBlockBytes, tensor.bytes.size() - at));
      read(tensor, at, block);
      hash.update(block);
    }
    if (hex_text(hash.finish()) != found->second)
      throw Error(ErrorCode::kBadInput, path(), ": section ", tensor.name, " is damaged (SHA-256)");
  }
}

// Names in the order in which they came.
struct NameList {
  std::vector<std::string> names;
  std::map<std::string, int32_t> known;

  int32_t index(const std::string& name) {
    if (name.empty()) return -1;
    const auto [place, is_new] = known.try_emplace(name, static_cast<int32_t>(names.size()));
    if (is_new) names.push_back(name);
    return place->second;
  }
};

struct ShardWriter::Columns {
  ShardInfo info;
  std::vector<uint64_t> text_offsets{0}, frame_offsets{0}, utf8_offsets{0}, note_offsets{0};
  std::vector<int64_t> encoded_len;
  std::vector<double> duration;
  std::vector<int32_t> text, language, speaker, source, voice;
  std::vector<float> voices;
  std::vector<uint8_t> codes, utf8, notes;
  std::vector<std::byte> records;
  NameList languages, speakers, sources;
  std::map<std::vector<float>, int32_t> known_voices;

  std::vector<TensorToWrite> sections() const {
    const uint64_t n = encoded_len.size(), width = frame_bytes(info.codebooks);
    const auto dim = static_cast<uint64_t>(info.voice_dim);
    return {section("text_offsets", DType::kU64, text_offsets, {n + 1}),
            section("frame_offsets", DType::kU64, frame_offsets, {n + 1}),
            section("utf8_offsets", DType::kU64, utf8_offsets, {n + 1}),
            section("note_offsets", DType::kU64, note_offsets, {n + 1}),
            section("encoded_len", DType::kI64, encoded_len, {n}),
            section("duration", DType::kF64, duration, {n}),
            section("text_ids", DType::kI32, text, {text.size()}),
            section("language", DType::kI32, language, {n}),
            section("speaker", DType::kI32, speaker, {n}),
            section("source", DType::kI32, source, {n}),
            section("voice", DType::kI32, voice, {n}),
            section("voices", DType::kF32, voices, {known_voices.size(), dim}),
            section("codes", DType::kU8, codes, {codes.size() / width, width}),
            section("records", DType::kU8, records, {n, 32}),
            section("utf8", DType::kU8, utf8, {utf8.size()}),
            section("notes", DType::kU8, notes, {notes.size()})};
  }

  std::map<std::string, std::string> metadata(const std::vector<TensorToWrite>& tensors) const {
    std::map<std::string, std::string> out{{"format", kFormat},
                                           {"version", "1"},
                                           {"codebooks", std::to_string(info.codebooks)},
                                           {"codebook_size", std::to_string(info.codebook_size)},
                                           {"tokenizer", info.tokenizer},
                                           {"text_rules", info.text_rules},
                                           {"languages", list_text(languages.names)},
                                           {"speakers", list_text(speakers.names)},
                                           {"sources", list_text(sources.names)}};
    for (const TensorToWrite& tensor : tensors)
      out["sha256." + tensor.name] = sha256_hex(tensor.bytes);
    return out;
  }
};

ShardWriter::ShardWriter(ShardInfo info) : columns_(std::make_unique<Columns>()) {
  require(info.codebooks >= 1 && info.codebooks <= 32, "codebooks are ", info.codebooks,
          ", must be 1 to 32");
  require(info.codebook_size >= 1 && info.codebook_size <= 1 << kCodeBits, "codebook size is ",
          info.codebook_size, ", must be 1 to 4096");
  require(info.voice_dim >= 0 && info.voice_dim <= 4096, "voice size is ", info.voice_dim,
          ", must be 0 to 4096");
  columns_->info = std::move(info);
}

ShardWriter::~ShardWriter() = default;

void ShardWriter::add(const TrainingClip& clip) {
  Columns& c = *columns_;
  const auto codebooks = static_cast<size_t>(c.info.codebooks);
  require(!clip.codes.empty() && clip.codes.size() % codebooks == 0, "a clip of ",
          clip.codes.size(), " codes, must be whole frames of ", codebooks);
  for (const int32_t code : clip.codes)
    require(code >= 0 && code < c.info.codebook_size, "code ", code, ", must be below ",
            c.info.codebook_size);
  for (const int32_t id : clip.text) require(id >= 0, "text id ", id, " is negative");
  require(clip.voice.empty() || clip.voice.size() == static_cast<size_t>(c.info.voice_dim),
          "a voice of ", clip.voice.size(), " numbers, must be ", c.info.voice_dim);
  for (const float value : clip.voice) require(std::isfinite(value), "a voice is not finite");

  c.text.insert(c.text.end(), clip.text.begin(), clip.text.end());
  c.text_offsets.push_back(c.text.size());
  const size_t width = frame_bytes(c.info.codebooks), count = clip.codes.size() / codebooks;
  c.codes.resize(c.codes.size() + count * width);
  for (size_t f = 0; f < count; ++f) {
    pack_frame(clip.codes.data() + f * codebooks, c.info.codebooks,
               c.codes.data() + c.codes.size() - (count - f) * width);
  }
  c.frame_offsets.push_back(c.codes.size() / width);
  c.utf8.insert(c.utf8.end(), clip.utf8.begin(), clip.utf8.end());
  c.utf8_offsets.push_back(c.utf8.size());
  c.notes.insert(c.notes.end(), clip.notes.begin(), clip.notes.end());
  c.note_offsets.push_back(c.notes.size());
  c.encoded_len.push_back(clip.encoded_len);
  c.duration.push_back(clip.duration_s);
  c.language.push_back(c.languages.index(clip.language));
  c.speaker.push_back(c.speakers.index(clip.speaker));
  c.source.push_back(c.sources.index(clip.source));
  c.records.insert(c.records.end(), clip.record.begin(), clip.record.end());
  int32_t voice = -1;
  if (!clip.voice.empty()) {
    const auto [place, is_new] =
        c.known_voices.try_emplace(clip.voice, static_cast<int32_t>(c.known_voices.size()));
    if (is_new) c.voices.insert(c.voices.end(), clip.voice.begin(), clip.voice.end());
    voice = place->second;
  }
  c.voice.push_back(voice);
}

size_t ShardWriter::clips() const { return columns_->encoded_len.size(); }

uint64_t ShardWriter::bytes() const {
  uint64_t sum = 0;
  for (const TensorToWrite& one : columns_->sections()) sum += one.bytes.size();
  return sum;
}

std::string ShardWriter::write(const std::filesystem::path& path) const {
  const auto sections = columns_->sections();
  write_safetensors(path, sections, columns_->metadata(sections));
  return sha256_hex(path);
}

std::string ShardWriter::serialize() const {
  const auto sections = columns_->sections();
  return safetensors_bytes(sections, columns_->metadata(sections));
}

}  // namespace kani
