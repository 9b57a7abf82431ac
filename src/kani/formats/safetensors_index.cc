// safetensors_index.cc - the index of a sharded model:
//   {"metadata": {"total_size": n}, "weight_map": {tensor: file}}
// Other keys are what tools of others add; they are ignored.
#include "kani/formats/safetensors_index.h"

#include "kani/base/json.h"
#include "kani/formats/bytes.h"
#include "kani/formats/member_name.h"
#include "kani/formats/safetensors_header.h"

namespace kani {
namespace {

void check_shard_name(std::string_view name, std::string_view where) {
  std::string_view problem = member_name_problem(name);
  if (problem.empty() && name.find('/') != std::string_view::npos) problem = "names a folder";
  if (problem.empty() && name.size() > 255) problem = "is longer than 255 bytes";
  if (!problem.empty()) refuse(where, "shard name \"", printable(name), "\" ", problem);
}

std::optional<uint64_t> read_total_size(const Json& document, std::string_view where) {
  const auto metadata = document.find("metadata");
  if (metadata == document.end()) return std::nullopt;
  if (!metadata->is_object()) refuse(where, "\"metadata\" is not an object");
  const auto total = metadata->find("total_size");
  if (total == metadata->end()) return std::nullopt;
  if (!total->is_number_unsigned()) refuse(where, "total_size is not a whole number from 0");
  return total->get<uint64_t>();
}

}  // namespace

SafetensorsIndex parse_safetensors_index(std::string_view text, std::string_view where) {
  const Json document =
      parse_json(text, where, {.depth = 4, .values = 1'000'000, .refuse_duplicates = true});
  if (!document.is_object()) refuse(where, "the index is not an object");
  const auto map = document.find("weight_map");
  if (map == document.end() || !map->is_object() || map->empty()) {
    refuse(where, "no \"weight_map\" with tensors in it");
  }
  SafetensorsIndex index;
  index.total_size = read_total_size(document, where);
  for (const auto& [tensor, shard] : map->items()) {
    if (const std::string_view problem = tensor_name_problem(tensor); !problem.empty()) {
      refuse(where, "tensor name \"", printable(tensor), "\" ", problem);
    }
    if (!shard.is_string()) {
      refuse(where, "the shard of tensor \"", printable(tensor), "\" is not a string");
    }
    const std::string& name = shard.get_ref<const std::string&>();
    check_shard_name(name, where);
    index.shards[name].push_back(tensor);
    if (index.shards.size() > kMaxShards) refuse(where, "more than ", kMaxShards, " shards");
  }
  return index;
}

}  // namespace kani
