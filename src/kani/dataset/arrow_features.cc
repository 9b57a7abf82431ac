// arrow_features.cc - see arrow_features.h.
#include "kani/dataset/arrow_features.h"

#include <arrow/util/key_value_metadata.h>

#include "kani/base/json.h"
#include "kani/dataset/clip_quality.h"

namespace kani {
namespace {

using OrderedJson = nlohmann::ordered_json;  // the columns in their order

/// The names that `datasets` has for the types used here.
std::string dtype_of(const arrow::DataType& type) {
  if (type.id() == arrow::Type::FLOAT) return "float32";
  if (type.id() == arrow::Type::DOUBLE) return "float64";
  return type.name() == "utf8" ? "string" : type.name();  // int8, int32, int64
}

OrderedJson feature_of(const arrow::DataType& type) {
  OrderedJson value;
  if (type.id() == arrow::Type::LIST) {
    value["feature"] = feature_of(*type.field(0)->type());
    value["_type"] = "Sequence";
  } else if (type.id() == arrow::Type::STRUCT) {
    for (const auto& field : type.fields()) value[field->name()] = feature_of(*field->type());
  } else {
    value["dtype"] = dtype_of(type);
    value["_type"] = "Value";
  }
  return value;
}

OrderedJson features_of(const arrow::Schema& schema) {
  OrderedJson features = OrderedJson::object();
  for (const auto& field : schema.fields()) features[field->name()] = feature_of(*field->type());
  return features;
}

std::shared_ptr<arrow::Schema> with_features(const arrow::FieldVector& fields) {
  const auto schema = arrow::schema(fields);
  OrderedJson info;
  info["info"]["features"] = features_of(*schema);
  return schema->WithMetadata(arrow::key_value_metadata({{"huggingface", info.dump()}}));
}

}  // namespace

std::shared_ptr<arrow::Schema> clip_schema() {
  arrow::FieldVector fields = {arrow::field("text", arrow::utf8()),
                               arrow::field("text_raw", arrow::utf8())};
  for (const char* name : {"nano_layer_1", "nano_layer_2", "nano_layer_3", "nano_layer_4"})
    fields.push_back(arrow::field(name, arrow::list(arrow::int32())));
  fields.push_back(arrow::field("encoded_len", arrow::int64()));
  fields.push_back(arrow::field("speaker_emb", arrow::list(arrow::float32())));
  for (const char* name : {"language", "speaker", "source"})
    fields.push_back(arrow::field(name, arrow::utf8()));
  fields.push_back(arrow::field("duration", arrow::float64()));
  fields.push_back(arrow::field("sha256", arrow::utf8()));
  arrow::FieldVector measures;
  for (const QualityMeasure& measure : kQualityMeasures)
    measures.push_back(
        arrow::field(measure.name, measure.whole ? arrow::int64() : arrow::float64()));
  fields.push_back(arrow::field("quality", arrow::struct_(measures)));
  return with_features(fields);
}

std::shared_ptr<arrow::Schema> sequence_schema() {
  return with_features({arrow::field("encoded_len", arrow::int64()),
                        arrow::field("speaker_emb", arrow::list(arrow::float32())),
                        arrow::field("input_ids", arrow::list(arrow::int32())),
                        arrow::field("labels", arrow::list(arrow::int64())),
                        arrow::field("attention_mask", arrow::list(arrow::int8()))});
}

std::string dataset_info_json(const arrow::Schema& schema) {
  OrderedJson json;
  json["citation"] = "";
  json["description"] = "";
  json["features"] = features_of(schema);
  json["homepage"] = "";
  json["license"] = "";
  return json.dump(2);
}

}  // namespace kani
