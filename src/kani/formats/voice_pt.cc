// voice_pt.cc - .pt voices: interfaces.md 8.4, whose list rules.  Stricter than checkpoints: a
// closed list of members, all of them small and all of them checked.  A tensor, a dictionary with
// one, or a list of them (their mean is the voice).
#include <algorithm>
#include <set>
#include <utility>

#include "kani/base/error.h"
#include "kani/formats/bytes.h"
#include "kani/formats/tensor_file.h"
#include "kani/formats/torch_archive.h"
#include "kani/formats/voice_parts.h"

namespace kani {
namespace {

constexpr ZipLimits kLimits{.members = 16, .total_bytes = kMaxVoiceBytes};
constexpr std::string_view kOtherMembers[] = {"data.pkl",           "version",
                                              "byteorder",          ".format_version",
                                              ".storage_alignment", ".data/serialization_id"};

// Whatever else could be in the archive, it is not part of a voice.
void check_members(const TorchArchive& archive, const std::string& where) {
  std::set<const ZipMember*> used;
  for (const TorchTensor& tensor : archive.tensors()) used.insert(tensor.storage);
  for (const ZipMember& member : archive.zip().members()) {
    const std::string_view name = member.name.substr(archive.root().size());
    const bool known = std::find(std::begin(kOtherMembers), std::end(kOtherMembers), name) !=
                       std::end(kOtherMembers);
    if (!known && !used.contains(&member)) {
      refuse(where, "ZIP member \"", printable(member.name), "\" does not belong to a voice");
    }
    archive.zip().checked_bytes(member);
  }
}

// A row of the storage: element i at offset + i * stride.
std::vector<float> gather(const TorchTensor& tensor, const ZipReader& zip,
                          const std::string& where) {
  const size_t length = voice_length(tensor.shape, 3, where);
  const uint64_t stride = tensor.strides.back();
  if (length > 1 && stride == 0) {
    refuse(where, "stride 0: one number repeated ", length, " times is no voice");
  }
  const size_t size = dtype_size(tensor.dtype);
  const std::span<const std::byte> storage = zip.bytes(*tensor.storage);
  std::vector<float> values(length);
  for (size_t i = 0; i < length; ++i) {
    to_f32(tensor.dtype, storage.subspan((tensor.offset + i * stride) * size, size),
           std::span(values).subspan(i, 1));
  }
  return values;
}

std::vector<float> mean_of(const std::vector<std::vector<float>>& voices,
                           const std::string& where) {
  std::vector<double> sums(voices.front().size());
  for (const std::vector<float>& voice : voices) {
    if (voice.size() != sums.size()) {
      refuse(where, "vectors of ", sums.size(), " and of ", voice.size(), " numbers in one list");
    }
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += double{voice[i]};
  }
  std::vector<float> mean;
  mean.reserve(sums.size());
  for (const double sum : sums) {
    mean.push_back(static_cast<float>(sum / static_cast<double>(voices.size())));
  }
  return mean;
}

TorchArchive open_archive(std::span<const std::byte> bytes, const std::string& where) {
  try {
    return TorchArchive(bytes, where, kLimits, kVoicePickle);
  } catch (const Error& error) {
    throw Error(error.code(), error.what())
        .with_hint("a voice is one tensor: torch.save(tensor.cpu(), \"voice.pt\"), or numpy.save");
  }
}

}  // namespace

VoiceFile parse_voice_pt(std::span<const std::byte> bytes, const std::string& where) {
  const TorchArchive archive = open_archive(bytes, where);
  check_members(archive, where);
  if (!archive.others().empty()) refuse(where, "holds something else than tensors");
  if (archive.tensors().empty()) refuse(where, "holds no tensor");
  if (archive.form() == PickleContent::Form::kDictionary && archive.tensors().size() != 1) {
    refuse(where, "a dictionary with ", archive.tensors().size(), " tensors, must be one");
  }
  std::vector<std::vector<float>> voices;
  for (const TorchTensor& tensor : archive.tensors()) {
    voices.push_back(gather(tensor, archive.zip(), where));
  }
  VoiceFile voice;
  voice.values = voices.size() == 1 ? std::move(voices.front()) : mean_of(voices, where);
  voice.stored_dtype = archive.tensors().front().dtype;
  voice.stored_shape = archive.tensors().front().shape;
  voice.format = "pt";
  return voice;
}

}  // namespace kani
