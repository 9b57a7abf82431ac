// arrow_recordings.cc - see recording_rows.h.
#include <algorithm>

#include "kani/base/error.h"
#include "kani/base/log.h"
#include "kani/dataset/arrow_batches.h"
#include "kani/dataset/arrow_cells.h"
#include "kani/dataset/arrow_folder.h"
#include "kani/dataset/manifest_parts.h"
#include "kani/dataset/recording_rows.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostTextBytes = 1 << 16;    // as of a file beside a sound
constexpr size_t kMostRecords = 100'000'000;  // of all files
constexpr int64_t kSoundRows = 16;            // a sound may have some megabytes

std::string sound_column(const ArrowBatches& batches, const fs::path& file) {
  std::vector<std::string> names;
  for (const std::string& name : batches.names_of(ColumnKind::kSound)) {
    if (manifest_field(name) == ManifestField::kAudio) names.push_back(name);
  }
  if (names.empty()) {
    throw Error(ErrorCode::kBadInput, file, ": has no column audio with the bytes of sounds")
        .with_hint(
            "its rows must be {bytes, path}, as datasets' Audio has them, or bytes; sets with "
            "codes are read by `prepare`");
  }
  const auto audio = std::find(names.begin(), names.end(), "audio");
  return audio == names.end() ? names.front() : *audio;
}

struct TextColumn {
  ManifestField field;
  size_t column;
};

/// Columns that say something of a record.  Times are none of these: in such sets they are mostly
/// those of the recording that the sound was cut out of.
std::vector<TextColumn> text_columns(const ArrowBatches& batches,
                                     std::vector<WantedColumn>& wanted) {
  std::vector<TextColumn> columns;
  const auto take = [&](ColumnKind kind, std::initializer_list<ManifestField> fields) {
    for (const std::string& name : batches.names_of(kind)) {
      const ManifestField field = manifest_field(name);
      if (std::find(fields.begin(), fields.end(), field) == fields.end()) continue;
      columns.push_back({field, wanted.size()});
      wanted.push_back({name, kind});
    }
  };
  take(ColumnKind::kText,
       {ManifestField::kText, ManifestField::kNormalizedText, ManifestField::kLanguage,
        ManifestField::kSource, ManifestField::kLicence});
  take(ColumnKind::kName, {ManifestField::kSpeaker});  // often a number
  return columns;
}

std::string cell_text(const arrow::Array& column, int64_t row) {
  const bool is_text =
      column.type_id() == arrow::Type::BINARY || column.type_id() == arrow::Type::LARGE_BINARY;
  if (is_text) return std::string(text_cell(column, row).value_or(""));
  const auto number = integer_cell(column, row);
  return number ? concat(*number) : std::string();
}

void read_rows(const fs::path& file, const fs::path& folder, std::vector<SourceRecord>& records) {
  std::vector<WantedColumn> wanted;
  const auto schema = ArrowBatches::open(file, {});
  sound_column(*schema, file);
  const std::vector<TextColumn> columns = text_columns(*schema, wanted);
  const auto is_text = [](const TextColumn& one) {
    return one.field == ManifestField::kText || one.field == ManifestField::kNormalizedText;
  };
  if (std::none_of(columns.begin(), columns.end(), is_text)) {
    throw Error(ErrorCode::kBadInput, file, ": has no column text")
        .with_hint("or sentence, transcript, transcription, normalized_text");
  }
  const std::string name = file.lexically_relative(folder).string();
  const auto batches = ArrowBatches::open(file, wanted);
  while (batches->next()) {
    for (int64_t row = 0; row < batches->rows(); ++row) {
      SourceRecord record;
      record.set_file = name;
      record.row = batches->first_row() + row;
      record.audio = concat(name, ": ", batches->row_name(row));
      RecordTimes times;
      for (const TextColumn& one : columns) {
        const std::string text = cell_text(*batches->column(one.column), row);
        if (text.size() > kMostTextBytes) {
          record.problem = Reject{RejectReason::kTextLength, static_cast<double>(text.size()),
                                  concat("column ", printable(wanted[one.column].name, 40), " has ",
                                         text.size(), " bytes")};
        } else {
          set_field(record, times, one.field, text);
        }
      }
      if (records.size() == kMostRecords)
        throw Error(ErrorCode::kBadInput, file, ": more than ", kMostRecords, " rows");
      records.push_back(std::move(record));
    }
  }
}

class ArrowRows final : public RecordingRows {
 public:
  explicit ArrowRows(fs::path file)
      : file_(std::move(file)), column_(sound_column(*ArrowBatches::open(file_, {}), file_)) {}

  std::span<const std::byte> sound(int64_t row) override {
    if (row >= broken_begin_ && row < broken_end_) throw Error(ErrorCode::kBadInput, why_broken_);
    if (!batches_ || !is_ahead(row)) reopen(row);
    while (row >= batches_->first_row() + batches_->rows()) {
      if (!advance()) throw Error(ErrorCode::kBadInput, file_, ": has no row ", row);
    }
    const auto cell = text_cell(*batches_->column(0), row - batches_->first_row());
    if (!cell || cell->empty()) throw Error(ErrorCode::kNotFound, "no sound in the row");
    return std::as_bytes(std::span(*cell));
  }

 private:
  /// In this batch, or behind it in the same row group.
  bool is_ahead(int64_t row) const {
    const int64_t first = batches_->first_row();
    return row >= first && row < batches_->group_rows(first).second;
  }

  void reopen(int64_t row) {
    batches_.reset();
    batches_ = ArrowBatches::open(file_, {{column_, ColumnKind::kSound}},
                                  {.row = row, .one_group = true, .batch_rows = kSoundRows});
  }

  /// What cannot be read takes the rest of its row group with it, and is not tried again.  Which
  /// rows these are must not depend on who reads: batches are counted from the group's beginning.
  bool advance() {
    const int64_t next = batches_->first_row() + batches_->rows();
    try {
      return batches_->next();
    } catch (const Error& error) {
      broken_begin_ = next;
      broken_end_ = batches_->group_rows(next).second;
      why_broken_ = error.what();
      batches_.reset();
      throw;
    }
  }

  fs::path file_;
  std::string column_;
  std::unique_ptr<ArrowBatches> batches_;
  int64_t broken_begin_ = 0, broken_end_ = 0;
  std::string why_broken_;
};

size_t count_parquet_files(const fs::path& folder) {
  size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    count += entry.path().extension() == ".parquet" ? 1 : 0;
  return count;
}

}  // namespace

std::vector<SourceRecord> read_recording_rows(const fs::path& path, const fs::path& folder) {
  std::vector<fs::path> files = {path};
  std::error_code error;
  if (fs::is_directory(path, error)) {
    files = find_set_files(path, "", "train");
    const bool is_parquet = files.front().extension() == ".parquet";
    if (const size_t all = is_parquet ? count_parquet_files(path) : 0; all > files.size()) {
      log_warning("dataset", path, ": ", all - files.size(),
                  " files are of other splits and are left out");
    }
  }
  std::vector<SourceRecord> records;
  for (const fs::path& file : files) read_rows(file, folder, records);
  return records;
}

std::unique_ptr<RecordingRows> RecordingRows::open(const fs::path& file) {
  return std::make_unique<ArrowRows>(file);
}

}  // namespace kani
