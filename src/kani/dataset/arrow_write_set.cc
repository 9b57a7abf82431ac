// arrow_write_set.cc - clips as rows of a save_to_disk set, see arrow_write.h.
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>

#include <array>
#include <string>

#include "kani/base/json.h"
#include "kani/base/sha256.h"
#include "kani/dataset/arrow_features.h"
#include "kani/dataset/arrow_io.h"
#include "kani/dataset/arrow_write.h"
#include "kani/tokens/sequence.h"

namespace kani {
namespace {

constexpr const char* kDataName = "data-00000-of-00001.arrow";
constexpr int64_t kBatchRows = 1000;  // as `datasets` has it
constexpr int64_t kBatchIds = 16 << 20;

/// A column of lists of numbers.
template <typename Values>
struct ListColumn {
  using Number = typename Values::value_type;

  ListColumn() : values(std::make_shared<Values>()), lists(arrow::default_memory_pool(), values) {}
  arrow::Status append(const std::vector<Number>& numbers) {
    ARROW_RETURN_NOT_OK(lists.Append());
    return values->AppendValues(numbers.data(), static_cast<int64_t>(numbers.size()));
  }

  std::shared_ptr<Values> values;
  arrow::ListBuilder lists;
};

std::string state_json(const std::string& hash) {
  nlohmann::ordered_json json;
  json["_data_files"] = {{{"filename", kDataName}, {"sha256", hash}}};
  json["_fingerprint"] = hash.substr(0, 16);
  json["_format_columns"] = nullptr;
  json["_format_kwargs"] = nlohmann::ordered_json::object();
  json["_format_type"] = nullptr;
  json["_output_all_columns"] = false;
  json["_split"] = nullptr;
  return json.dump(2);
}

}  // namespace

struct SequenceSetWriter::State {
  State(std::filesystem::path where, const TokenLayout& token_layout)
      : folder(std::move(where)),
        file(folder / kDataName),
        layout(token_layout),
        output(std::make_shared<AtomicOutput>(file)),
        schema(sequence_schema()),
        writer(written_value(arrow::ipc::MakeStreamWriter(output, schema), file)) {}

  arrow::Status append(const TrainingClip& clip) {
    const std::vector<int32_t> sequence = make_sequence(layout, clip.text, clip.codes);
    ARROW_RETURN_NOT_OK(encoded_len.Append(clip.encoded_len));
    if (clip.voice.empty()) {
      ARROW_RETURN_NOT_OK(voice.lists.AppendNull());
    } else {
      ARROW_RETURN_NOT_OK(voice.append(clip.voice));
    }
    ARROW_RETURN_NOT_OK(ids.append(sequence));
    ARROW_RETURN_NOT_OK(labels.append({sequence.begin(), sequence.end()}));
    return mask.append(std::vector<int8_t>(sequence.size(), 1));
  }

  void write_batch() {
    const int64_t rows = encoded_len.length();
    if (rows == 0) return;
    const std::array<arrow::ArrayBuilder*, 5> columns = {&encoded_len, &voice.lists, &ids.lists,
                                                         &labels.lists, &mask.lists};
    std::vector<std::shared_ptr<arrow::Array>> arrays(columns.size());
    for (size_t i = 0; i < columns.size(); ++i) check_written(columns[i]->Finish(&arrays[i]), file);
    check_written(writer->WriteRecordBatch(*arrow::RecordBatch::Make(schema, rows, arrays)), file);
  }

  std::filesystem::path folder, file;
  TokenLayout layout;
  std::shared_ptr<AtomicOutput> output;
  std::shared_ptr<arrow::Schema> schema;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer;
  arrow::Int64Builder encoded_len;
  ListColumn<arrow::FloatBuilder> voice;
  ListColumn<arrow::Int32Builder> ids;
  ListColumn<arrow::Int64Builder> labels;
  ListColumn<arrow::Int8Builder> mask;
};

SequenceSetWriter::SequenceSetWriter(std::filesystem::path folder, const TokenLayout& layout)
    : state_(std::make_unique<State>(std::move(folder), layout)) {}

SequenceSetWriter::~SequenceSetWriter() = default;

void SequenceSetWriter::add(const TrainingClip& clip) {
  require(!clip.text.empty(), "a clip without text ids cannot become a sequence");
  require(!clip.codes.empty(), "a clip without codes cannot become a sequence");
  check_written(state_->append(clip), state_->file);
  if (state_->encoded_len.length() == kBatchRows || state_->ids.values->length() >= kBatchIds)
    state_->write_batch();
}

void SequenceSetWriter::finish() {
  state_->write_batch();
  check_written(state_->writer->Close(), state_->file);
  state_->output->commit();
  write_file(state_->folder / "dataset_info.json", dataset_info_json(*state_->schema));
  write_file(state_->folder / "state.json", state_json(sha256_hex(state_->file)));
}

}  // namespace kani
