// voice_write.cc - voices as files: ours with everything that is known of them, and three that
// other programs read.
#include <algorithm>
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/json.h"
#include "kani/base/utf8.h"
#include "kani/formats/bytes.h"
#include "kani/formats/safetensors.h"
#include "kani/formats/torch_write.h"
#include "kani/formats/voice_file.h"
#include "kani/formats/voice_parts.h"

namespace kani {
namespace {

constexpr std::string_view kMark = "kani-voice-1";
constexpr std::string_view kNames[] = {"safetensors", "pt", "npy", "json"};
constexpr size_t kMaxMetadata = 64 * 1024;  // bytes, keys and values

void check_values(std::span<const float> values) {
  require(!values.empty() && values.size() <= kMaxVoiceLength, "a voice of ", values.size(),
          " numbers, must have 1 to ", kMaxVoiceLength);
  require(std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }),
          "the voice holds numbers that are not finite");
  require(std::any_of(values.begin(), values.end(), [](float v) { return v != 0; }),
          "the voice holds zeros alone");
}

void check_metadata(const std::map<std::string, std::string>& metadata) {
  size_t total = 0;
  for (const auto& [key, value] : metadata) {
    require(!find_invalid_utf8(key) && !find_invalid_utf8(value), "the voice's ", printable(key),
            " is not valid UTF-8");
    total += key.size() + value.size();
  }
  require(total <= kMaxMetadata, "the voice's description and other texts have ", total,
          " bytes, at most ", kMaxMetadata);
}

TensorToWrite tensor_of(std::span<const float> values) {
  return {.name = std::string(kVoiceTensor),
          .dtype = DType::kF32,
          .shape = {values.size()},
          .bytes = std::as_bytes(values)};
}

std::string pt_bytes(std::span<const float> values) {
  const TensorToWrite tensor = tensor_of(values);
  const TorchWriter writer({&tensor, 1}, "archive", TorchWriter::Content::kTensor);
  std::string out;
  out.reserve(writer.size());
  writer.write([&](std::span<const std::byte> bytes) { out += text_of(bytes); });
  return out;
}

// Version 1.0: mark, length of the dictionary, dictionary padded so that the data begin at a
// multiple of 64.
std::string npy_bytes(std::span<const float> values) {
  constexpr size_t kBefore = 10;
  constexpr size_t kAlignment = 64;
  std::string header =
      concat("{'descr': '<f4', 'fortran_order': False, 'shape': (", values.size(), ",), }");
  const size_t unpadded = kBefore + header.size() + 1;
  header.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  header += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  out += static_cast<char>(header.size() & 0xFF);
  out += static_cast<char>(header.size() >> 8);
  return out + header + std::string(text_of(std::as_bytes(values)));
}

std::string json_bytes(std::span<const float> values,
                       const std::map<std::string, std::string>& metadata) {
  Json document = metadata;
  document["embedding"] = std::vector<double>(values.begin(), values.end());
  return dump_json(document, 1) + "\n";
}

}  // namespace

std::string_view voice_format_name(VoiceFormat format) {
  return kNames[static_cast<size_t>(format)];
}

std::optional<VoiceFormat> voice_format_of(std::string_view name) {
  for (const VoiceFormat format :
       {VoiceFormat::kSafetensors, VoiceFormat::kPt, VoiceFormat::kNpy, VoiceFormat::kJson}) {
    if (voice_format_name(format) == name) return format;
  }
  return std::nullopt;
}

std::string voice_bytes(VoiceFormat format, std::span<const float> values,
                        const std::map<std::string, std::string>& metadata) {
  check_values(values);
  check_metadata(metadata);
  std::map<std::string, std::string> marked = metadata;
  marked["format"] = kMark;
  switch (format) {
    case VoiceFormat::kPt:
      return pt_bytes(values);
    case VoiceFormat::kNpy:
      return npy_bytes(values);
    case VoiceFormat::kJson:
      return json_bytes(values, marked);
    case VoiceFormat::kSafetensors:
      break;
  }
  const TensorToWrite tensor = tensor_of(values);
  return safetensors_bytes({&tensor, 1}, marked);
}

void write_voice(const std::filesystem::path& path, VoiceFormat format,
                 std::span<const float> values, const std::map<std::string, std::string>& metadata,
                 AtomicFile::Access access) {
  write_file(path, voice_bytes(format, values, metadata), access);
}

}  // namespace kani
