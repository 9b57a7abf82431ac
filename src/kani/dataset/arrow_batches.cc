// arrow_batches.cc - see arrow_batches.h.
#include "kani/dataset/arrow_batches.h"

#include <arrow/array.h>
#include <arrow/array/array_nested.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <numeric>
#include <string_view>

#include "kani/dataset/clip_note.h"

namespace kani {
namespace {

constexpr int64_t kMostMemory = int64_t{1} << 30;
constexpr int64_t kBufferBytes = 1 << 20;
constexpr int32_t kMostHeaderText = 64 << 20;  // schema and metadata of a Parquet file
constexpr int32_t kMostHeaderItems = 4 << 20;
constexpr std::string_view kExtensionKey = "ARROW:extension:name";

bool holds_integers(arrow::Type::type id) {
  return id >= arrow::Type::UINT8 && id <= arrow::Type::INT64;
}

bool holds_numbers(arrow::Type::type id) {
  return id == arrow::Type::FLOAT || id == arrow::Type::DOUBLE;
}

bool holds_lists(arrow::Type::type id) {
  return id == arrow::Type::LIST || id == arrow::Type::LARGE_LIST ||
         id == arrow::Type::FIXED_SIZE_LIST;
}

bool holds_text(arrow::Type::type id) {
  return id == arrow::Type::STRING || id == arrow::Type::LARGE_STRING;
}

bool is_struct_of_numbers(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRUCT &&
         std::all_of(type.fields().begin(), type.fields().end(), [](const auto& field) {
           return holds_integers(field->type()->id()) || holds_numbers(field->type()->id());
         });
}

bool holds_bytes(arrow::Type::type id) {
  return id == arrow::Type::BINARY || id == arrow::Type::LARGE_BINARY;
}

/// Place of the bytes in a struct; -1 if there is none.
int bytes_field(const arrow::DataType& type) {
  if (type.id() != arrow::Type::STRUCT) return -1;
  const int place = static_cast<const arrow::StructType&>(type).GetFieldIndex("bytes");
  return place >= 0 && holds_bytes(type.field(place)->type()->id()) ? place : -1;
}

bool fits(const arrow::DataType& type, ColumnKind kind) {
  const arrow::Type::type id = type.id();
  switch (kind) {
    case ColumnKind::kText:
      return holds_text(id);
    case ColumnKind::kInteger:
      return holds_integers(id);
    case ColumnKind::kNumber:
      return holds_numbers(id);
    case ColumnKind::kIntegerList:
      return holds_lists(id) && holds_integers(type.field(0)->type()->id());
    case ColumnKind::kNumberList:
      return holds_lists(id) && holds_numbers(type.field(0)->type()->id());
    case ColumnKind::kMeasures:
      return holds_text(id) || is_struct_of_numbers(type);
    case ColumnKind::kName:
      return holds_text(id) || holds_integers(id);
    case ColumnKind::kSound:
      return holds_bytes(id) || bytes_field(type) >= 0;
  }
  return false;
}

const char* kind_name(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kText:
      return "text";
    case ColumnKind::kInteger:
      return "integers";
    case ColumnKind::kNumber:
      return "floating-point numbers";
    case ColumnKind::kIntegerList:
      return "lists of integers";
    case ColumnKind::kNumberList:
      return "lists of floating-point numbers";
    case ColumnKind::kMeasures:
      return "a struct of numbers or text";
    case ColumnKind::kName:
      return "text or integers";
    case ColumnKind::kSound:
      return "bytes, alone or in a struct";
  }
  return "";
}

bool is_extension(const arrow::Field& field) {
  if (field.type()->id() == arrow::Type::EXTENSION) return true;
  if (field.metadata() != nullptr && field.metadata()->Contains(std::string(kExtensionKey)))
    return true;
  for (const auto& child : field.type()->fields()) {
    if (is_extension(*child)) return true;
  }
  return false;
}

/// One column of a Parquet file may be several leaves of its schema; these are the leaves of the
/// columns at `fields`.  Of a sound only the bytes: what stands beside them is not looked at.
std::vector<int> leaves_of(const parquet::SchemaDescriptor& schema, const std::vector<int>& fields,
                           const std::vector<WantedColumn>& wanted) {
  std::vector<int> leaves;
  for (int i = 0; i < schema.num_columns(); ++i) {
    const int field = schema.group_node()->FieldIndex(*schema.GetColumnRoot(i));
    if (std::find(fields.begin(), fields.end(), field) == fields.end()) continue;
    const std::vector<std::string> path = schema.Column(i)->path()->ToDotVector();
    const bool is_sound = std::any_of(wanted.begin(), wanted.end(), [&](const WantedColumn& one) {
      return one.kind == ColumnKind::kSound && one.name == path.front();
    });
    if (!is_sound || path.size() == 1 || (path.size() == 2 && path[1] == "bytes"))
      leaves.push_back(i);
  }
  return leaves;
}

class ParquetBatches final : public ArrowBatches {
 public:
  ParquetBatches(const std::filesystem::path& file, std::vector<WantedColumn> wanted,
                 BatchRange range)
      : ArrowBatches(file, std::move(wanted)) {
    const auto input = read_value(arrow::io::ReadableFile::Open(file.string(), &pool_), file);
    parquet::ReaderProperties properties(&pool_);
    properties.enable_buffered_stream();
    properties.set_buffer_size(kBufferBytes);
    properties.set_page_checksum_verification(true);
    properties.set_thrift_string_size_limit(kMostHeaderText);
    properties.set_thrift_container_size_limit(kMostHeaderItems);
    auto reader = parquet::ParquetFileReader::Open(input, properties);
    const auto metadata = reader->metadata();
    count_rows(*metadata);
    if (const auto& pairs = metadata->key_value_metadata(); pairs && pairs->Contains(kNoteKey))
      note_ = read_value(pairs->Get(kNoteKey), file);
    parquet::ArrowReaderProperties decoding(/*use_threads=*/false);
    decoding.set_batch_size(range.batch_rows);
    decoding.set_pre_buffer(false);
    reader_ =
        read_value(parquet::arrow::FileReader::Make(&pool_, std::move(reader), decoding), file);
    std::shared_ptr<arrow::Schema> schema;
    check_read(reader_->GetSchema(&schema), file);
    check_schema(*schema);
    if (present_.empty()) return;
    const size_t first = std::min(group_with(range.row), group_ends_.size());
    first_row_ = seen_ = first == 0 ? 0 : group_ends_[first - 1];
    const size_t last =
        range.one_group ? std::min(first + 1, group_ends_.size()) : group_ends_.size();
    end_ = last == 0 ? 0 : group_ends_[last - 1];
    std::vector<int> groups(last - first);
    std::iota(groups.begin(), groups.end(), static_cast<int>(first));
    batches_ = read_value(
        reader_->GetRecordBatchReader(groups, leaves_of(*metadata->schema(), present_, wanted_)),
        file);
  }

  std::pair<int64_t, int64_t> group_rows(int64_t row) const override {
    const size_t group = group_with(row);
    const int64_t begin = group == 0 ? 0 : group_ends_[group - 1];
    return {begin, group < group_ends_.size() ? group_ends_[group] : begin};
  }

 private:
  void count_rows(const parquet::FileMetaData& metadata) {
    int64_t sum = 0;
    for (int i = 0; i < metadata.num_row_groups(); ++i) {
      const int64_t rows = metadata.RowGroup(i)->num_rows();
      if (rows < 0 || rows > (int64_t{1} << 40))
        throw Error(ErrorCode::kBadInput, file_, ": row group ", i, " claims ", rows, " rows");
      group_ends_.push_back(sum += rows);
    }
    if (sum != metadata.num_rows())
      throw Error(ErrorCode::kBadInput, file_, ": claims ", metadata.num_rows(),
                  " rows, its row groups have ", sum);
  }

  std::shared_ptr<arrow::RecordBatch> read() override {
    if (!batches_) return nullptr;
    std::shared_ptr<arrow::RecordBatch> batch;
    check_read(batches_->ReadNext(&batch), file_);
    seen_ += batch ? batch->num_rows() : 0;
    if (seen_ > end_ || (!batch && seen_ != end_))
      throw Error(ErrorCode::kBadInput, file_, ": has ", seen_, " rows, its footer claims ", end_);
    return batch;
  }

  std::string group_of(int64_t row) const override {
    return concat("row group ", group_with(row), ", ");
  }

  size_t group_with(int64_t row) const {
    return static_cast<size_t>(std::upper_bound(group_ends_.begin(), group_ends_.end(), row) -
                               group_ends_.begin());
  }

  std::vector<int64_t> group_ends_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  int64_t seen_ = 0, end_ = 0;  // of those that are read
};

class StreamBatches final : public ArrowBatches {
 public:
  StreamBatches(const std::filesystem::path& file, std::vector<WantedColumn> wanted)
      : ArrowBatches(file, std::move(wanted)) {
    check_end();
    arrow::ipc::IpcReadOptions options;
    options.memory_pool = &pool_;
    options.use_threads = false;
    // The schema says which columns are to be read, so it is read twice.
    check_schema(*open_stream(options)->schema());
    options.included_fields = present_;
    if (!present_.empty()) stream_ = open_stream(options);
  }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> open_stream(
      const arrow::ipc::IpcReadOptions& options) {
    const auto input = read_value(arrow::io::ReadableFile::Open(file_.string(), &pool_), file_);
    return read_value(arrow::ipc::RecordBatchStreamReader::Open(input, options), file_);
  }

  /// A stream that was cut between two batches reads like a shorter one, so its end mark must be
  /// there.
  void check_end() const {
    const InputFile input(file_);
    std::array<std::byte, 8> end{};
    const std::array<unsigned char, 8> mark{0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0};
    if (input.size() < end.size() || input.read_at(input.size() - end.size(), end) != end.size() ||
        std::memcmp(end.data(), mark.data(), end.size()) != 0)
      throw Error(ErrorCode::kBadInput, file_, ": has no end mark: cut short");
  }

  std::shared_ptr<arrow::RecordBatch> read() override {
    if (!stream_) return nullptr;
    std::shared_ptr<arrow::RecordBatch> batch;
    check_read(stream_->ReadNext(&batch), file_);
    return batch;
  }

  std::string group_of(int64_t) const override { return ""; }
  std::pair<int64_t, int64_t> group_rows(int64_t) const override {
    return {0, std::numeric_limits<int64_t>::max()};
  }

  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> stream_;
};

}  // namespace

ArrowBatches::ArrowBatches(std::filesystem::path file, std::vector<WantedColumn> wanted)
    : pool_(kMostMemory), file_(std::move(file)), wanted_(std::move(wanted)) {
  columns_.resize(wanted_.size());
}

std::unique_ptr<ArrowBatches> ArrowBatches::open(const std::filesystem::path& file,
                                                 std::vector<WantedColumn> wanted,
                                                 BatchRange range) {
  check_arrow_version();
  std::array<char, 6> start{};
  const size_t got = InputFile(file).read_at(0, std::as_writable_bytes(std::span(start)));
  const std::string_view magic(start.data(), got);
  return reading(file, [&]() -> std::unique_ptr<ArrowBatches> {
    if (magic.starts_with("PAR1"))
      return std::make_unique<ParquetBatches>(file, std::move(wanted), range);
    if (magic.starts_with("\xFF\xFF\xFF\xFF"))
      return std::make_unique<StreamBatches>(file, std::move(wanted));
    if (magic == "ARROW1")
      throw Error(ErrorCode::kBadInput, file,
                  ": is an Arrow file with random access, expected a stream or Parquet");
    throw Error(ErrorCode::kBadInput, file, ": is neither Parquet nor an Arrow stream");
  });
}

void ArrowBatches::check_schema(const arrow::Schema& schema) {
  names_ = schema.field_names();
  fields_ = schema.fields();
  for (const WantedColumn& wanted : wanted_) {
    const auto refuse = [&](const auto&... why) {
      throw Error(ErrorCode::kBadInput, file_, ": column ", printable(wanted.name), " ", why...);
    };
    const std::vector<int> places = schema.GetAllFieldIndices(wanted.name);
    if (places.size() > 1) refuse("is there ", places.size(), " times");
    if (places.empty() && wanted.required) refuse("is missing");
    if (places.empty()) continue;
    const arrow::Field& field = *schema.field(places[0]);
    if (is_extension(field)) refuse("has an extension type, which is never read");
    if (!fits(*field.type(), wanted.kind))
      refuse("is of type ", printable(field.type()->ToString()), ", expected ",
             kind_name(wanted.kind));
    if (std::find(present_.begin(), present_.end(), places[0]) == present_.end())
      present_.push_back(places[0]);
  }
  std::sort(present_.begin(), present_.end());
}

bool ArrowBatches::next() {
  return reading(file_, [&] {
    first_row_ += rows_;
    rows_ = 0;
    for (auto& column : columns_) column.reset();
    while (const std::shared_ptr<arrow::RecordBatch> batch = read()) {
      if (batch->num_rows() == 0) continue;
      take_columns(*batch);
      rows_ = batch->num_rows();
      return true;
    }
    return false;
  });
}

void ArrowBatches::take_columns(const arrow::RecordBatch& batch) {
  for (size_t i = 0; i < wanted_.size(); ++i) {
    std::shared_ptr<arrow::Array> column = batch.GetColumnByName(wanted_[i].name);
    if (!column) continue;
    if (!fits(*column->type(), wanted_[i].kind) || column->length() != batch.num_rows())
      throw Error(ErrorCode::kBadInput, file_, ": column ", printable(wanted_[i].name),
                  " is not what the schema says");
    // As bytes: one text that is no UTF-8 is the matter of its row, not of the file.
    check_read(column->Validate(), file_);
    if (const int bytes = bytes_field(*column->type());
        bytes >= 0 && wanted_[i].kind == ColumnKind::kSound) {
      const auto& cells = static_cast<const arrow::StructArray&>(*column);
      column = read_value(cells.GetFlattenedField(bytes, &pool_), file_);
    }
    if (column->type_id() == arrow::Type::STRING)
      column = read_value(column->View(arrow::binary()), file_);
    else if (column->type_id() == arrow::Type::LARGE_STRING)
      column = read_value(column->View(arrow::large_binary()), file_);
    check_read(column->ValidateFull(), file_);
    columns_[i] = std::move(column);
  }
}

std::string ArrowBatches::row_name(int64_t row_in_batch) const {
  const int64_t row = first_row_ + row_in_batch;
  return concat(group_of(row), "row ", row);
}

std::string ArrowBatches::place(int64_t row_in_batch) const {
  return concat(file_, ": ", row_name(row_in_batch));
}

std::vector<std::string> ArrowBatches::names_of(ColumnKind kind) const {
  std::vector<std::string> names;
  for (const auto& field : fields_) {
    if (!is_extension(*field) && fits(*field->type(), kind)) names.push_back(field->name());
  }
  return names;
}

std::vector<std::string> column_names(const std::filesystem::path& file) {
  return ArrowBatches::open(file, {})->names();
}

}  // namespace kani
