// arrow_clips.cc - see arrow_clips.h.
#include "kani/dataset/arrow_clips.h"

#include <arrow/array/array_nested.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "kani/base/json.h"
#include "kani/base/utf8.h"
#include "kani/dataset/arrow_cells.h"
#include "kani/dataset/clip_limits.h"
#include "kani/dataset/clip_text.h"
#include "kani/dataset/length_statistics.h"
#include "kani/tokens/sequence.h"

namespace kani {
namespace {

using OrderedJson = nlohmann::ordered_json;  // notes keep their order

constexpr size_t kMostTextBytes = 1 << 20;
constexpr int64_t kMostFrames = 1'000'000;  // a day of sound
constexpr int64_t kFramesBesides = 2;       // what a codec may say more or less than there are

// Places in wanted_.
enum : size_t {
  kText,
  kLength,
  kVoice,
  kLayers,
  kTextRaw = kLayers + 4,
  kLanguage,
  kSpeaker,
  kSource,
  kDuration,
  kRecord,
  kQuality
};

std::vector<WantedColumn> wanted_columns(const ClipColumns& columns, bool more) {
  std::vector<WantedColumn> wanted = {{columns.text, ColumnKind::kText},
                                      {columns.encoded_len, ColumnKind::kInteger},
                                      {columns.voice, ColumnKind::kNumberList}};
  for (const std::string& layer : columns.layers)
    wanted.push_back({layer, ColumnKind::kIntegerList});
  if (more) {
    for (const char* name : {"text_raw", "language", "speaker", "source"})
      wanted.push_back({name, ColumnKind::kText, /*required=*/false});
    wanted.push_back({"duration", ColumnKind::kNumber, /*required=*/false});
    wanted.push_back({"sha256", ColumnKind::kText, /*required=*/false});
    wanted.push_back({"quality", ColumnKind::kMeasures, /*required=*/false});
  }
  return wanted;
}

/// Why `voice` cannot be taken; nothing if it can.
std::optional<std::pair<RowFault, std::string>> voice_fault(ListCell cell,
                                                            const std::vector<float>& voice,
                                                            const ClipShape& rules) {
  if (cell == ListCell::kNull && rules.voice_required)
    return {{RowFault::kVoiceMissing, "is null"}};
  if (cell == ListCell::kNull) return std::nullopt;
  if (cell != ListCell::kFine) return {{RowFault::kVoiceNotFinite, "has a null inside"}};
  if (voice.size() != static_cast<size_t>(rules.voice_dim))
    return {{RowFault::kVoiceSize,
             concat("has ", voice.size(), " numbers, expected ", rules.voice_dim)}};
  for (const float value : voice) {
    if (!std::isfinite(value))
      return {{RowFault::kVoiceNotFinite, "has a number that is not finite"}};
  }
  if (rules.careful && !voice.empty() && !is_usable_voice(voice))
    return {{RowFault::kVoiceLength,
             concat("is no vector of a length from ", kShortestVoice, " to ", kLongestVoice)}};
  return std::nullopt;
}

RowFault text_fault(RejectReason reason) {
  if (reason == RejectReason::kTextMissing) return RowFault::kTextMissing;
  return reason == RejectReason::kTextControl ? RowFault::kTextControl : RowFault::kTextLength;
}

std::optional<ClipNote> note_of(const ArrowBatches& batches, const std::filesystem::path& file) {
  if (batches.note().empty()) return std::nullopt;
  return parse_clip_note(batches.note(), file.string());
}

std::optional<std::array<std::byte, 32>> parse_record(std::string_view hex) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::array<std::byte, 32> out{};
  if (hex.size() != 2 * out.size()) return std::nullopt;
  for (size_t i = 0; i < out.size(); ++i) {
    const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out[i] = static_cast<std::byte>(high << 4 | low);
  }
  return out;
}

}  // namespace

SourceClips::SourceClips(const std::filesystem::path& file, const ClipColumns& columns,
                         ClipShape rules, bool more)
    : rules_(std::move(rules)),
      wanted_(wanted_columns(columns, more)),
      batches_(ArrowBatches::open(file, wanted_)),
      note_(note_of(*batches_, file)) {}

template <typename... Parts>
void SourceClips::refuse(RowFault fault, size_t column, const Parts&... why) const {
  throw BadRow(fault, batches_->place(current_), ", column ", printable(wanted_[column].name), ": ",
               why...);
}

NextClip SourceClips::next(TrainingClip& clip) {
  while (row_ == batches_->rows()) {
    if (!batches_->next()) return NextClip::kEnd;
    row_ = 0;
  }
  current_ = row_++;
  clip = TrainingClip();
  read_length(clip);
  if (rules_.careful) {
    read_codes(clip);
    check_frames(clip);
  }
  const int64_t frames = rules_.careful ? static_cast<int64_t>(layer_[0].size()) : clip.encoded_len;
  if (!within_duration(frames, rules_.max_duration_s)) return NextClip::kTooLong;
  if (!rules_.careful) read_codes(clip);
  read_text(clip);
  if (rules_.careful) check_text(clip);
  read_voice(clip);
  if (wanted_.size() > kTextRaw) read_more(clip);
  return NextClip::kClip;
}

void SourceClips::read_length(TrainingClip& clip) {
  const std::optional<int64_t> length = integer_cell(*batches_->column(kLength), current_);
  if (!length) refuse(RowFault::kLengthMissing, kLength, "is null");
  if (*length < 0 || *length > kMostFrames)
    refuse(RowFault::kLengthOutOfRange, kLength, "is ", *length, ", expected 0 to ", kMostFrames);
  clip.encoded_len = *length;
  clip.duration_s = static_cast<double>(*length) / kUpstreamFrameRate;
}

void SourceClips::check_frames(const TrainingClip& clip) const {
  const auto frames = static_cast<int64_t>(layer_[0].size());
  if (std::abs(frames - clip.encoded_len) > kFramesBesides)
    refuse(RowFault::kLengthWrong, kLength, "is ", clip.encoded_len, ", but there are ", frames,
           " codes in a codebook");
}

void SourceClips::check_text(const TrainingClip& clip) const {
  const ClipLimits limits;
  if (const auto reject = check_given_text(clip.utf8, limits))
    refuse(text_fault(reject->reason), kText, "is refused as ", reject_name(reject->reason), ": ",
           reject->detail);
}

void SourceClips::read_text(TrainingClip& clip) {
  const auto text = text_cell(*batches_->column(kText), current_);
  if (!text) refuse(RowFault::kTextMissing, kText, "is null");
  if (text->size() > kMostTextBytes)
    refuse(RowFault::kTextInvalid, kText, "has ", text->size(), " bytes, the limit is ",
           kMostTextBytes);
  if (const auto place = find_invalid_utf8(*text))
    refuse(RowFault::kTextInvalid, kText, "is no UTF-8 at byte ", *place);
  clip.utf8 = *text;
}

void SourceClips::read_codes(TrainingClip& clip) {
  for (size_t k = 0; k < 4; ++k) {
    const size_t column = kLayers + k;
    switch (integer_list_cell(*batches_->column(column), current_, layer_[k])) {
      case ListCell::kFine:
        break;
      case ListCell::kNull:
        refuse(RowFault::kCodesMissing, column, "is null");
      case ListCell::kNullInside:
        refuse(RowFault::kCodesMissing, column, "has a null inside");
      case ListCell::kOutOfRange:
        refuse(RowFault::kCodeOutOfRange, column, "has a code beyond 32 bits");
    }
    if (layer_[k].size() != layer_[0].size())
      refuse(RowFault::kCodesRagged, column, "has ", layer_[k].size(), " codes, ",
             printable(wanted_[kLayers].name), " has ", layer_[0].size());
    for (const int32_t code : layer_[k]) {
      if (code < 0 || code >= rules_.layout.codebook_size)
        refuse(RowFault::kCodeOutOfRange, column, "has the code ", code, ", expected 0 to ",
               rules_.layout.codebook_size - 1);
    }
  }
  if (layer_[0].empty()) refuse(RowFault::kCodesEmpty, kLayers, "has no codes");
  if (layer_[0].size() > static_cast<size_t>(kMostFrames))
    refuse(RowFault::kLengthOutOfRange, kLayers, "has ", layer_[0].size(), " codes, the limit is ",
           kMostFrames);
  clip.codes.reserve(4 * layer_[0].size());
  for (size_t f = 0; f < layer_[0].size(); ++f) {
    for (const auto& layer : layer_) clip.codes.push_back(layer[f]);
  }
}

void SourceClips::read_voice(TrainingClip& clip) {
  const ListCell cell = number_list_cell(*batches_->column(kVoice), current_, clip.voice);
  if (const auto fault = voice_fault(cell, clip.voice, rules_))
    refuse(fault->first, kVoice, fault->second);
}

std::string SourceClips::extra_text(size_t column) const {
  if (batches_->column(column) == nullptr) return "";
  const auto text = text_cell(*batches_->column(column), current_);
  if (!text) return "";
  if (text->size() > kMostTextBytes || find_invalid_utf8(*text))
    refuse(RowFault::kExtra, column, "is no UTF-8 or longer than ", kMostTextBytes, " bytes");
  return std::string(*text);
}

void SourceClips::read_more(TrainingClip& clip) {
  clip.language = extra_text(kLanguage);
  clip.speaker = extra_text(kSpeaker);
  clip.source = extra_text(kSource);
  if (batches_->column(kDuration) != nullptr) {
    const double seconds =
        number_cell(*batches_->column(kDuration), current_).value_or(clip.duration_s);
    if (!std::isfinite(seconds) || seconds < 0)
      refuse(RowFault::kExtra, kDuration, "is ", seconds, ", expected seconds");
    clip.duration_s = seconds;
  }
  if (const std::string hex = extra_text(kRecord); !hex.empty()) {
    const auto record = parse_record(hex);
    if (!record) refuse(RowFault::kExtra, kRecord, "is no SHA-256 in hexadecimal");
    clip.record = *record;
  }
  OrderedJson notes;
  if (std::string raw = extra_text(kTextRaw); !raw.empty()) notes["text_raw"] = std::move(raw);
  if (const std::string quality = read_quality(); !quality.empty())
    notes["quality"] = OrderedJson::parse(quality);
  if (note_ && note_->tag_tokens.contains(clip.language))
    notes["tag_token"] = note_->tag_tokens.at(clip.language);
  if (!notes.empty()) clip.notes = notes.dump();
}

std::string SourceClips::read_quality() const {
  const arrow::Array* column = batches_->column(kQuality);
  if (column == nullptr || column->IsNull(current_)) return {};
  if (column->type_id() == arrow::Type::STRUCT) return read_measures(*column);
  std::string text = extra_text(kQuality);
  if (text.empty()) return {};
  try {
    parse_json(text, "quality", {.depth = 8, .values = 1000});
    return text;
  } catch (const Error& error) {
    refuse(RowFault::kExtra, kQuality, error.what());
  }
}

std::string SourceClips::read_measures(const arrow::Array& structs) const {
  const auto& cells = static_cast<const arrow::StructArray&>(structs);
  OrderedJson out = OrderedJson::object();
  for (int i = 0; i < cells.num_fields(); ++i) {
    const std::string& name = cells.struct_type()->field(i)->name();
    const arrow::Array& values = *cells.field(i);
    if (values.IsNull(current_)) continue;
    if (find_invalid_utf8(name))
      refuse(RowFault::kExtra, kQuality, "has the name ", printable(name), ", no UTF-8");
    if (values.type_id() == arrow::Type::FLOAT || values.type_id() == arrow::Type::DOUBLE) {
      const double value = *number_cell(values, current_);
      if (!std::isfinite(value))
        refuse(RowFault::kExtra, kQuality, "has for ", printable(name), " a number that is not ",
               "finite");
      out[name] = value;
    } else {
      out[name] = *integer_cell(values, current_);
    }
  }
  return out.dump();
}

SequenceClips::SequenceClips(const std::filesystem::path& file, ClipShape rules)
    : rules_(std::move(rules)),
      batches_(ArrowBatches::open(
          file, {{"input_ids", ColumnKind::kIntegerList},
                 {"encoded_len", ColumnKind::kInteger, /*required=*/false},
                 {"speaker_emb", ColumnKind::kNumberList, /*required=*/false}})) {}

NextClip SequenceClips::next(TrainingClip& clip) {
  while (row_ == batches_->rows()) {
    if (!batches_->next()) return NextClip::kEnd;
    row_ = 0;
  }
  const int64_t row = row_++;
  const auto refuse = [&](RowFault fault, const char* column, const auto&... why) {
    throw BadRow(fault, batches_->place(row), ", column ", column, ": ", why...);
  };
  clip = TrainingClip();
  if (integer_list_cell(*batches_->column(0), row, ids_) != ListCell::kFine)
    refuse(RowFault::kSequence, "input_ids", "is null or has an id that is none");
  try {
    SequenceParts parts = parse_sequence(rules_.layout, ids_);
    clip.text = std::move(parts.text);
    clip.codes = std::move(parts.codes);
  } catch (const Error& bad) {
    refuse(RowFault::kSequence, "input_ids", bad.what());
  }
  // A set without encoded_len: what is in the sequence is what is known.
  clip.encoded_len = static_cast<int64_t>(clip.codes.size()) / rules_.layout.codebooks;
  if (batches_->column(1) != nullptr) {
    const auto length = integer_cell(*batches_->column(1), row);
    if (!length || *length < 0 || *length > kMostFrames)
      refuse(RowFault::kLengthOutOfRange, "encoded_len", "is null or not 0 to ", kMostFrames);
    clip.encoded_len = *length;
  }
  clip.duration_s = static_cast<double>(clip.encoded_len) / kUpstreamFrameRate;
  const ListCell cell = batches_->column(2) == nullptr
                            ? ListCell::kNull
                            : number_list_cell(*batches_->column(2), row, clip.voice);
  if (const auto fault = voice_fault(cell, clip.voice, rules_))
    refuse(fault->first, "speaker_emb", fault->second);
  return NextClip::kClip;
}

std::optional<ClipNote> read_clip_note(const std::filesystem::path& file) {
  return note_of(*ArrowBatches::open(file, {}), file);
}

bool is_processed_set(const std::filesystem::path& file) {
  const std::vector<std::string> names = column_names(file);
  return std::find(names.begin(), names.end(), "input_ids") != names.end();
}

}  // namespace kani
