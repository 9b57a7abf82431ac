// arrow_features.h - columns that we write, and what `datasets` wants to know about them: the
// feature types in the schema's metadata and in dataset_info.json.
#pragma once

#include <arrow/type.h>

#include <memory>
#include <string>

namespace kani {

/// text_raw and so on as strings, lists of numbers, quality as a struct (clip_quality.h): the
/// layout of training.md 15.8.
std::shared_ptr<arrow::Schema> clip_schema();
/// The layout of a processed set (training.md 5.3).
std::shared_ptr<arrow::Schema> sequence_schema();

/// dataset_info.json for these columns.  Lists are called "Sequence": all versions of `datasets`
/// read that, 3.6 refuses "List".
std::string dataset_info_json(const arrow::Schema& schema);

}  // namespace kani
