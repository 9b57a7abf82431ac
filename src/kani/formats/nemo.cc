// nemo.cc - tar (or gzip of a tar) around a YAML text and a torch checkpoint.  Tensors are used
// where they lie.
#include "kani/formats/nemo.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/utf8.h"
#include "kani/formats/byte_source.h"
#include "kani/formats/bytes.h"
#include "kani/formats/nemo_names.h"
#include "kani/formats/tar.h"
#include "kani/formats/tensor_table.h"
#include "kani/formats/torch_archive.h"

namespace kani {
namespace {

namespace fs = std::filesystem;
using Wanted = std::function<bool(std::string_view name)>;

constexpr uint64_t kMaxConfig = 1 << 20;
constexpr uint64_t kMaxWeights = uint64_t{4} << 30;  // ZIP ends there too

std::string config_text(std::span<const std::byte> bytes, const std::string& where) {
  const std::string_view text = text_of(bytes);
  if (const std::optional<size_t> at = find_invalid_utf8(text)) {
    refuse(where, kNemoConfig, " is not UTF-8 at offset ", *at);
  }
  if (const size_t at = text.find('\0'); at != std::string_view::npos) {
    refuse(where, kNemoConfig, " holds a NUL at offset ", at);
  }
  return std::string(text);
}

std::vector<TensorInfo> read_checkpoint(std::span<const std::byte> bytes, const std::string& where,
                                        const Wanted& wanted) {
  if (!text_of(bytes).starts_with("PK")) {
    throw Error(ErrorCode::kBadInput, where, ": not a ZIP archive (as PyTorch 1.6 and later write)")
        .with_hint("load it with PyTorch and save it again with torch.save");
  }
  const TorchArchive archive(bytes, where, {}, kCheckpointPickle);
  if (archive.form() != PickleContent::Form::kDictionary) {
    refuse(where, "the pickle is not a dictionary of tensors");
  }
  for (const std::string_view name : archive.others()) {
    if (!wanted || wanted(name)) refuse(where, "\"", printable(name), "\" is not a tensor");
  }
  std::vector<TensorInfo> tensors;
  CheckedStorages storages(archive.zip());
  for (const TorchTensor& tensor : archive.tensors()) {
    if (wanted && !wanted(tensor.name)) continue;
    tensors.push_back({.name = std::string(tensor.name),
                       .dtype = tensor.dtype,
                       .shape = tensor.shape,
                       .bytes = storages.bytes(tensor)});
  }
  return tensors;
}

NemoArchive read_nemo(std::span<const std::byte> bytes, const fs::path& name, const Wanted& wanted,
                      TensorBacking backing) {
  const std::string where = name.string();
  std::array<WantedMember, 2> members = {
      WantedMember{.name = kNemoConfig, .max_bytes = kMaxConfig, .bytes = {}},
      WantedMember{.name = kNemoWeights, .max_bytes = kMaxWeights, .bytes = {}}};
  const std::unique_ptr<ByteSource> source =
      looks_like_gzip(bytes) ? gzip_source(bytes, where) : memory_source(bytes);
  read_tar(*source, members, where);
  for (const WantedMember& member : members) {
    if (!member.bytes) refuse(where, "not a NeMo archive: no member \"", member.name, "\"");
  }
  NemoArchive archive;
  archive.config_yaml = config_text(*members[0].bytes, where);
  std::vector<TensorInfo> tensors =
      read_checkpoint(*members[1].bytes, concat(where, ": ", kNemoWeights), wanted);
  backing.buffers = source->take_kept();
  archive.weights = std::make_unique<TensorTable>(
      name, std::move(tensors), std::map<std::string, std::string>{}, std::move(backing));
  return archive;
}

}  // namespace

NemoArchive open_nemo(const fs::path& path, const Wanted& wanted) {
  TensorBacking backing;
  const std::span<const std::byte> bytes = backing.maps.emplace_back(path).bytes();
  if (looks_like_gzip(bytes)) return read_nemo(bytes, path, wanted, {});  // the map dies after it
  return read_nemo(bytes, path, wanted, std::move(backing));
}

NemoArchive parse_nemo(std::span<const std::byte> bytes, const fs::path& name,
                       const Wanted& wanted) {
  return read_nemo(bytes, name, wanted, {});
}

}  // namespace kani
