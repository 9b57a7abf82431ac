// arrow_write_parquet.cc - clips as rows of a Parquet file, see arrow_write.h.
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/table.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include <array>
#include <string>
#include <vector>

#include "kani/base/json.h"
#include "kani/base/sha256.h"
#include "kani/dataset/arrow_features.h"
#include "kani/dataset/arrow_io.h"
#include "kani/dataset/arrow_write.h"
#include "kani/dataset/clip_note.h"
#include "kani/dataset/clip_quality.h"

namespace kani {
namespace {

constexpr int kZstdLevel = 3;
constexpr size_t kCodebooks = 4;

/// A string, or null for an empty one.
arrow::Status append_text(arrow::StringBuilder& column, const std::string& text) {
  return text.empty() ? column.AppendNull() : column.Append(text);
}

struct Notes {
  std::string text_raw, tag_token;
  Json quality;  // an object, or null
};

Notes read_notes(const std::string& notes) {
  Notes out;
  if (notes.empty()) return out;
  const Json json = parse_json(notes, "the notes of a clip");
  if (!json.is_object()) throw Error(ErrorCode::kBadInput, "the notes of a clip are no object");
  if (const auto raw = json.find("text_raw"); raw != json.end() && raw->is_string())
    out.text_raw = raw->get<std::string>();
  if (const auto token = json.find("tag_token"); token != json.end() && token->is_string())
    out.tag_token = token->get<std::string>();
  if (const auto quality = json.find("quality"); quality != json.end() && quality->is_object())
    out.quality = *quality;
  return out;
}

/// A measure that is not there, or is no such number, is null; without `quality` all of them are
/// one null.
arrow::Status append_quality(arrow::StructBuilder& column, const Json& quality) {
  if (quality.is_null()) return column.AppendNull();
  ARROW_RETURN_NOT_OK(column.Append());
  for (size_t i = 0; i < kQualityMeasures.size(); ++i) {
    const auto found = quality.find(kQualityMeasures[i].name);
    arrow::ArrayBuilder& cells = *column.child(static_cast<int>(i));
    if (found == quality.end() ||
        !(kQualityMeasures[i].whole ? found->is_number_integer() : found->is_number())) {
      ARROW_RETURN_NOT_OK(cells.AppendNull());
    } else if (kQualityMeasures[i].whole) {
      ARROW_RETURN_NOT_OK(static_cast<arrow::Int64Builder&>(cells).Append(found->get<int64_t>()));
    } else {
      ARROW_RETURN_NOT_OK(static_cast<arrow::DoubleBuilder&>(cells).Append(found->get<double>()));
    }
  }
  return arrow::Status::OK();
}

}  // namespace

struct ParquetWriter::State {
  State(const std::filesystem::path& path, const ShardInfo& info, int64_t group)
      : file(path),
        note({.info = info}),
        group_rows(group),
        output(std::make_shared<AtomicOutput>(path)),
        schema(clip_schema()) {
    parquet::WriterProperties::Builder properties;
    properties.compression(parquet::Compression::ZSTD)
        ->compression_level(kZstdLevel)
        ->max_row_group_length(group_rows)
        ->created_by("kani")
        ->enable_page_checksum();
    parquet::ArrowWriterProperties::Builder arrow_properties;
    arrow_properties.store_schema()->set_use_threads(false);
    writer = written_value(
        parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), output,
                                         properties.build(), arrow_properties.build()),
        file);
    for (size_t k = 0; k < kCodebooks; ++k)
      layers[k] = std::make_unique<arrow::ListBuilder>(arrow::default_memory_pool(),
                                                       std::make_shared<arrow::Int32Builder>());
    voice = std::make_unique<arrow::ListBuilder>(arrow::default_memory_pool(),
                                                 std::make_shared<arrow::FloatBuilder>());
    std::vector<std::shared_ptr<arrow::ArrayBuilder>> measures;
    for (const QualityMeasure& measure : kQualityMeasures) {
      if (measure.whole)
        measures.push_back(std::make_shared<arrow::Int64Builder>());
      else
        measures.push_back(std::make_shared<arrow::DoubleBuilder>());
    }
    quality = std::make_unique<arrow::StructBuilder>(schema->GetFieldByName("quality")->type(),
                                                     arrow::default_memory_pool(), measures);
  }

  arrow::Status append(const TrainingClip& clip) {
    const Notes notes = read_notes(clip.notes);
    if (!notes.tag_token.empty()) note.tag_tokens[clip.language] = notes.tag_token;
    ARROW_RETURN_NOT_OK(text.Append(clip.utf8));
    ARROW_RETURN_NOT_OK(append_text(text_raw, notes.text_raw));
    for (size_t k = 0; k < kCodebooks; ++k) {
      ARROW_RETURN_NOT_OK(layers[k]->Append());
      auto& values = static_cast<arrow::Int32Builder&>(*layers[k]->value_builder());
      for (size_t i = k; i < clip.codes.size(); i += kCodebooks)
        ARROW_RETURN_NOT_OK(values.Append(clip.codes[i]));
    }
    ARROW_RETURN_NOT_OK(encoded_len.Append(clip.encoded_len));
    if (clip.voice.empty()) {
      ARROW_RETURN_NOT_OK(voice->AppendNull());
    } else {
      ARROW_RETURN_NOT_OK(voice->Append());
      auto& values = static_cast<arrow::FloatBuilder&>(*voice->value_builder());
      ARROW_RETURN_NOT_OK(
          values.AppendValues(clip.voice.data(), static_cast<int64_t>(clip.voice.size())));
    }
    ARROW_RETURN_NOT_OK(append_text(language, clip.language));
    ARROW_RETURN_NOT_OK(append_text(speaker, clip.speaker));
    ARROW_RETURN_NOT_OK(append_text(source, clip.source));
    ARROW_RETURN_NOT_OK(duration.Append(clip.duration_s));
    ARROW_RETURN_NOT_OK(record.Append(hex_text(clip.record)));
    return append_quality(*quality, notes.quality);
  }

  void write_group() {
    const int64_t rows = encoded_len.length();
    if (rows == 0) return;
    const std::array<arrow::ArrayBuilder*, 14> columns = {
        &text,           &text_raw,    layers[0].get(), layers[1].get(), layers[2].get(),
        layers[3].get(), &encoded_len, voice.get(),     &language,       &speaker,
        &source,         &duration,    &record,         quality.get()};
    std::vector<std::shared_ptr<arrow::Array>> arrays(columns.size());
    for (size_t i = 0; i < columns.size(); ++i) check_written(columns[i]->Finish(&arrays[i]), file);
    const auto table = arrow::Table::Make(schema, arrays, rows);
    check_written(writer->WriteTable(*table, group_rows), file);
  }

  std::filesystem::path file;
  ClipNote note;
  int64_t group_rows;
  std::shared_ptr<AtomicOutput> output;
  std::shared_ptr<arrow::Schema> schema;
  std::unique_ptr<parquet::arrow::FileWriter> writer;
  arrow::StringBuilder text, text_raw, language, speaker, source, record;
  arrow::Int64Builder encoded_len;
  arrow::DoubleBuilder duration;
  std::array<std::unique_ptr<arrow::ListBuilder>, kCodebooks> layers;
  std::unique_ptr<arrow::ListBuilder> voice;
  std::unique_ptr<arrow::StructBuilder> quality;
};

ParquetWriter::ParquetWriter(const std::filesystem::path& file, const ShardInfo& info,
                             int64_t rows_per_group)
    : state_(std::make_unique<State>(file, info, rows_per_group)) {}

ParquetWriter::~ParquetWriter() = default;

void ParquetWriter::add(const TrainingClip& clip) {
  require(!clip.codes.empty() && clip.codes.size() % kCodebooks == 0, "a clip of ",
          clip.codes.size(), " codes, must be whole frames of ", kCodebooks);
  check_written(state_->append(clip), state_->file);
  if (state_->encoded_len.length() == state_->group_rows) state_->write_group();
}

void ParquetWriter::finish() {
  state_->write_group();
  check_written(state_->writer->AddKeyValueMetadata(
                    arrow::key_value_metadata({{kNoteKey, clip_note_json(state_->note)}})),
                state_->file);
  check_written(state_->writer->Close(), state_->file);
  state_->output->commit();
}

}  // namespace kani
