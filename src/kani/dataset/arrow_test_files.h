// arrow_test_files.h - small Parquet files and Arrow streams with any columns, for tests.
#pragma once

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kani/spec/lfm2.h"
#include "kani/tokens/layout.h"

namespace kani::test {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using Columns = std::vector<std::pair<std::string, ArrayPtr>>;
template <typename T>
using Cells = std::vector<std::optional<T>>;

template <typename Builder, typename T>
ArrayPtr cells(const Cells<T>& values) {
  Builder builder;
  for (const auto& value : values) {
    if (value)
      (void)builder.Append(
          static_cast<typename arrow::TypeTraits<typename Builder::TypeClass>::CType>(*value));
    else
      (void)builder.AppendNull();
  }
  return *builder.Finish();
}

inline ArrayPtr texts(const Cells<std::string>& values) {
  arrow::StringBuilder builder;
  for (const auto& value : values) (void)(value ? builder.Append(*value) : builder.AppendNull());
  return *builder.Finish();
}

/// A number that is absent is a null inside of the list.
template <typename Values, typename T>
ArrayPtr lists(const Cells<std::vector<std::optional<T>>>& rows) {
  const auto values = std::make_shared<Values>();
  arrow::ListBuilder builder(arrow::default_memory_pool(), values);
  for (const auto& row : rows) {
    if (!row) {
      (void)builder.AppendNull();
      continue;
    }
    (void)builder.Append();
    for (const auto& value : *row) {
      if (value)
        (void)values->Append(static_cast<typename Values::value_type>(*value));
      else
        (void)values->AppendNull();
    }
  }
  return *builder.Finish();
}

inline std::shared_ptr<arrow::Table> table_of(const Columns& columns) {
  arrow::FieldVector fields;
  std::vector<ArrayPtr> arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

inline void write_parquet(const std::filesystem::path& path, const arrow::Table& table,
                          int64_t group_rows = 1000) {
  const auto file = *arrow::io::FileOutputStream::Open(path.string());
  const arrow::Status status =
      parquet::arrow::WriteTable(table, arrow::default_memory_pool(), file, group_rows);
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

inline void write_stream(const std::filesystem::path& path, const arrow::Table& table) {
  const auto file = *arrow::io::FileOutputStream::Open(path.string());
  const auto writer = *arrow::ipc::MakeStreamWriter(file, table.schema());
  arrow::Status status = writer->WriteTable(table);
  if (status.ok()) status = writer->Close();
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

/// A source set whose rows can be spoilt one by one.
struct SourceSet {
  using Codes = std::vector<std::optional<int64_t>>;
  using Voice = std::vector<std::optional<float>>;

  explicit SourceSet(int count) {
    for (int i = 0; i < count; ++i) {
      text.emplace_back("row " + std::to_string(i));
      for (int k = 0; k < 4; ++k) layers[k].emplace_back(Codes{i % 60, (i + k) % 60, (i + k) % 60});
      encoded_len.emplace_back(3);
      voice.emplace_back(Voice{0.5F, 0.5F / static_cast<float>(1 + i), -0.5F});
    }
  }

  Columns columns() const {
    Columns out = {{"text", texts(text)}};
    for (int k = 0; k < 4; ++k)
      out.emplace_back("nano_layer_" + std::to_string(k + 1),
                       lists<arrow::Int64Builder>(layers[k]));
    out.emplace_back("encoded_len", cells<arrow::Int64Builder>(encoded_len));
    out.emplace_back("speaker_emb", lists<arrow::FloatBuilder>(voice));
    return out;
  }

  Cells<std::string> text;
  Cells<Codes> layers[4];
  Cells<int64_t> encoded_len;
  Cells<Voice> voice;
};

/// Ids of a model with audio ids from 410 and 60 codes a codebook.
inline TokenLayout tiny_layout() {
  Lfm2Config config;
  config.audio_tokens_start = 410;
  config.vocab_size = 410 + 4 * 60;
  return TokenLayout::of(config);
}

}  // namespace kani::test
