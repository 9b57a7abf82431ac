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
#include <utility>
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
  kName,      // text or integers
  kSound,     // bytes, or a struct with a field `bytes` of them; they come as a binary array
};

struct WantedColumn {
  std::string name;
  ColumnKind kind;
  bool required = true;
};

/// Where to begin, and how much at a time.
struct BatchRange {
  // Of Parquet; a stream is read from its first batch to its last as it is.
  int64_t row = 0;           // its row group is the first
  bool one_group = false;    // and the last
  int64_t batch_rows = 512;  // at most; they are counted from the beginning
};

/// One thread at a time.
class ArrowBatches {
 public:
  /// Throws Error(kNotFound), Error(kBadInput) naming file and column.
  static std::unique_ptr<ArrowBatches> open(const std::filesystem::path& file,
                                            std::vector<WantedColumn> wanted,
                                            BatchRange range = {});
  virtual ~ArrowBatches() = default;

  /// Goes to the next batch that has rows; false at the end.  Throws Error(kBadInput).
  bool next();
  int64_t rows() const { return rows_; }
  /// Of this batch, in the file.
  int64_t first_row() const { return first_row_; }
  /// Column number `index` of those wanted: nullptr if it is optional and missing.  Texts come as
  /// binary arrays, their UTF-8 is not checked.
  const arrow::Array* column(size_t index) const { return columns_[index].get(); }
  /// Of a Parquet file of ours the text of clip_note.h, else empty.
  const std::string& note() const { return note_; }
  /// Names of the columns of the file, wanted or not.
  const std::vector<std::string>& names() const { return names_; }
  /// Of these, such as are of a kind.
  std::vector<std::string> names_of(ColumnKind kind) const;
  /// "row group 2, row 1034"
  std::string row_name(int64_t row_in_batch) const;
  /// Begin and end of the rows that can only be read one after another.
  virtual std::pair<int64_t, int64_t> group_rows(int64_t row) const = 0;
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
  std::string note_;

 private:
  void take_columns(const arrow::RecordBatch& batch);

  std::vector<std::string> names_;
  std::vector<std::shared_ptr<arrow::Field>> fields_;
  std::vector<std::shared_ptr<arrow::Array>> columns_;
};

/// The names of all columns of a file.  Throws as open().
std::vector<std::string> column_names(const std::filesystem::path& file);

}  // namespace kani
