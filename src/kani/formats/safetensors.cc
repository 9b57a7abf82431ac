// safetensors.cc - opening: one file, an index with its shards, or a folder.  The checks of a
// file's bytes are in safetensors_header.cc, those of an index in safetensors_index.cc.
#include "kani/formats/safetensors.h"

#include <algorithm>
#include <utility>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/formats/bytes.h"
#include "kani/formats/safetensors_header.h"
#include "kani/formats/safetensors_index.h"
#include "kani/formats/tensor_table.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

// A shard that is missing makes the model broken, not absent.
MappedFile map_shard(const fs::path& path, std::string_view index) {
  try {
    return MappedFile(path);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    refuse(index, "shard \"", path.filename(), "\" is missing");
  }
}

// Both ways: what the index promises is in the shard, and what is in the shard the index names
// there.
void check_shard(const std::vector<TensorInfo>& tensors, const std::string& shard,
                 const std::vector<std::string>& promised, std::string_view index) {
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const TensorInfo& tensor : tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  for (const std::string& name : promised) {
    if (!std::binary_search(names.begin(), names.end(), name)) {
      refuse(index, "tensor \"", printable(name), "\" is not in its shard \"", shard, "\"");
    }
  }
  for (const std::string_view name : names) {
    if (!std::binary_search(promised.begin(), promised.end(), name)) {
      refuse(index, "shard \"", shard, "\" holds tensor \"", printable(name),
             "\", which the index does not place there");
    }
  }
}

std::unique_ptr<TensorFile> open_index(const fs::path& path) {
  const std::string where = path.string();
  const SafetensorsIndex index =
      parse_safetensors_index(read_file(path, kMaxSafetensorsIndex), where);
  std::vector<TensorInfo> tensors;
  std::map<std::string, std::string> metadata;
  TensorBacking backing;
  uint64_t total = 0;
  for (const auto& [shard, promised] : index.shards) {
    const fs::path shard_path = path.parent_path() / shard;
    MappedFile map = map_shard(shard_path, where);
    SafetensorsContent content = read_safetensors(map.bytes(), shard_path.string());
    check_shard(content.tensors, shard, promised, where);
    for (const TensorInfo& tensor : content.tensors) total += tensor.bytes.size();
    std::move(content.tensors.begin(), content.tensors.end(), std::back_inserter(tensors));
    metadata.merge(content.metadata);
    backing.maps.push_back(std::move(map));
  }
  if (index.total_size && *index.total_size != total) {
    refuse(where, "total_size is ", *index.total_size, ", the shards hold ", total,
           " bytes of tensors");
  }
  return std::make_unique<TensorTable>(path, std::move(tensors), std::move(metadata),
                                       std::move(backing));
}

std::unique_ptr<TensorFile> open_single(const fs::path& path) {
  TensorBacking backing;
  backing.maps.emplace_back(path);
  SafetensorsContent content = read_safetensors(backing.maps.front().bytes(), path.string());
  return std::make_unique<TensorTable>(path, std::move(content.tensors),
                                       std::move(content.metadata), std::move(backing));
}

bool names_index(const fs::path& path) { return path.filename().string().ends_with(".index.json"); }

}  // namespace

std::unique_ptr<TensorFile> open_safetensors(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored))
    return names_index(path) ? open_index(path) : open_single(path);
  if (const fs::path single = path / "model.safetensors"; fs::exists(single, ignored)) {
    return open_single(single);
  }
  if (const fs::path index = path / "model.safetensors.index.json"; fs::exists(index, ignored)) {
    return open_index(index);
  }
  throw Error(ErrorCode::kNotFound, path,
              ": holds neither model.safetensors nor model.safetensors.index.json");
}

std::unique_ptr<TensorFile> parse_safetensors(std::span<const std::byte> bytes,
                                              const fs::path& name) {
  SafetensorsContent content = read_safetensors(bytes, name.string());
  return std::make_unique<TensorTable>(name, std::move(content.tensors),
                                       std::move(content.metadata), TensorBacking{});
}

}  // namespace kani
