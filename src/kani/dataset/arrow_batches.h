// arrow_batches.h - the wanted columns of a Parquet file or an Arrow stream, some hundred rows at a
// time: which of the two it is is decided by its content, names and types are checked before
// anything is decoded, every batch before it is handed on.
// Hostile files: reliability.md 6, "Parquet / Arrow".  Extension types and dictionaries are
// refused. Not here: what the columns mean (arrow_clips.h), values of a cell (arrow_cells.h).
#pragma once

#include <arrow/array/array_base.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kani/dataset/arrow_io.h"

namespace kani {

enum class ColumnKind {
  kText,
  kInteger,
  kNumber,
  kIntegerList,
  kNumberList,
  kMeasures,  // a struct of numbers, or JSON as text
};

struct WantedColumn {
  std::string name;
  ColumnKind kind;
  bool required = true;
};

/// One thread at a time.
class ArrowBatches {
 public:
  /// Throws Error(kNotFound), Error(kBadInput) naming file and column.
  static std::unique_ptr<ArrowBatches> open(const std::filesystem::path& file,
                                            std::vector<WantedColumn> wanted);
  virtual ~ArrowBatches() = default;

  /// Goes to the next batch that has rows; false at the end.  Throws Error(kBadInput).
  bool next();
  int64_t rows() const { return rows_; }
  /// Column number `index` of those wanted: nullptr if it is optional and missing.  Texts come as
  /// binary arrays, their UTF-8 is not checked.
  const arrow::Array* column(size_t index) const { return columns_[index].get(); }
  /// Names of the columns of the file, wanted or not.
  const std::vector<std::string>& names() const { return names_; }
  /// "file: row group 2, row 1034"; rows count from 0 over the whole file.
  std::string place(int64_t row_in_batch) const;

 protected:
  ArrowBatches(std::filesystem::path file, std::vector<WantedColumn> wanted);
  /// Checks the wanted columns; `present_` then has their places in the schema.
  void check_schema(const arrow::Schema& schema);
  virtual std::shared_ptr<arrow::RecordBatch> read() = 0;
  /// Words in front of the row, may be empty.
  virtual std::string group_of(int64_t row) const = 0;

  LimitedPool pool_;  // outlives all arrays
  std::filesystem::path file_;
  std::vector<WantedColumn> wanted_;
  std::vector<int> present_;  // places of the wanted columns that are there, ascending
  int64_t first_row_ = 0, rows_ = 0;

 private:
  void take_columns(const arrow::RecordBatch& batch);

  std::vector<std::string> names_;
  std::vector<std::shared_ptr<arrow::Array>> columns_;
};

/// The names of all columns of a file.  Throws as open().
std::vector<std::string> column_names(const std::filesystem::path& file);

}  // namespace kani
