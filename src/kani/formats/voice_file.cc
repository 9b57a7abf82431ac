// voice_file.cc - tells the four kinds apart by their first bytes, and holds every vector to the
// same rules. Our safetensors form and the JSON form are read here; .pt and .npy have files of
// their own.
#include "kani/formats/voice_file.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/formats/bytes.h"
#include "kani/formats/safetensors.h"
#include "kani/formats/safetensors_header.h"
#include "kani/formats/voice_parts.h"

namespace kani {
namespace {

// The protocol byte that every binary pickle begins with.
bool looks_like_pickle(std::string_view text) {
  return text.size() >= 2 && text[0] == '\x80' && static_cast<unsigned char>(text[1]) <= 5;
}

VoiceFile parse_any(std::span<const std::byte> bytes, const std::string& where) {
  const std::string_view text = text_of(bytes);
  if (looks_like_safetensors(bytes)) return parse_voice_safetensors(bytes, where);
  if (text.starts_with("PK")) return parse_voice_pt(bytes, where);
  if (text.starts_with("\x93NUMPY")) return parse_voice_npy(bytes, where);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && (text[first] == '{' || text[first] == '[')) {
    return parse_voice_json(bytes, where);
  }
  if (looks_like_pickle(text)) {
    throw Error(ErrorCode::kBadInput, where,
                ": a bare pickle (PyTorch before 1.6), not a ZIP archive")
        .with_hint("load it with PyTorch and save the tensor again with torch.save");
  }
  throw Error(ErrorCode::kBadInput, where,
              ": not a voice file: begins like none of .safetensors, .pt, .npy, .json");
}

}  // namespace

size_t voice_length(std::span<const uint64_t> shape, size_t max_rank, const std::string& where) {
  const bool row = !shape.empty() && shape.size() <= max_rank &&
                   std::all_of(shape.begin(), shape.end() - 1, [](uint64_t s) { return s == 1; });
  if (!row || shape.back() == 0 || shape.back() > kMaxVoiceLength) {
    refuse(where, "shape ", shape_text(shape), " is not that of one vector of 1 to ",
           kMaxVoiceLength, " numbers");
  }
  return static_cast<size_t>(shape.back());
}

VoiceFile parse_voice_safetensors(std::span<const std::byte> bytes, const std::string& where) {
  const std::unique_ptr<TensorFile> file = parse_safetensors(bytes, where);
  const TensorInfo* tensor = file->find(kVoiceTensor);
  if (tensor == nullptr || file->tensors().size() != 1) {
    refuse(where, "not a voice: must hold the tensor \"", kVoiceTensor, "\" and no other");
  }
  const DType type = tensor->dtype;
  if (type != DType::kF32 && type != DType::kF16 && type != DType::kBF16 && type != DType::kF64) {
    refuse(where, "\"", kVoiceTensor, "\" is ", dtype_name(type),
           ", must be F32, F16, BF16 or F64");
  }
  voice_length(tensor->shape, 2, where);
  return {.values = tensor_to_f32(*tensor),
          .stored_dtype = type,
          .stored_shape = tensor->shape,
          .format = "safetensors",
          .metadata = file->metadata()};
}

VoiceFile parse_voice_json(std::span<const std::byte> bytes, const std::string& where) {
  const Json document =
      parse_json(text_of(bytes), where, {.depth = 4, .values = 16'384, .refuse_duplicates = true});
  const auto list = document.is_object() ? document.find("embedding") : document.end();
  if (list == document.end() || !list->is_array()) {
    refuse(where, "no list \"embedding\" in it, expected {\"embedding\": [numbers], …}");
  }
  VoiceFile voice;
  voice.format = "json";
  voice.stored_shape = {list->size()};
  voice_length(voice.stored_shape, 1, where);
  for (const Json& number : *list) {
    if (!number.is_number()) refuse(where, "\"embedding\" holds something else than numbers");
    voice.values.push_back(static_cast<float>(number.get<double>()));
  }
  for (const auto& [key, value] : document.items()) {
    if (value.is_string()) voice.metadata.emplace(key, value.get<std::string>());
  }
  return voice;
}

VoiceFile parse_voice(std::span<const std::byte> bytes, const std::filesystem::path& name) {
  const std::string where = name.string();
  if (bytes.size() > kMaxVoiceBytes) {
    refuse(where, bytes.size(), " bytes, a voice file has at most ", kMaxVoiceBytes);
  }
  VoiceFile voice = parse_any(bytes, where);
  const auto odd = std::find_if_not(voice.values.begin(), voice.values.end(),
                                    [](float v) { return std::isfinite(v); });
  if (odd != voice.values.end()) {
    refuse(where, "number ", odd - voice.values.begin(), " of the vector is not finite in float32");
  }
  if (std::all_of(voice.values.begin(), voice.values.end(), [](float v) { return v == 0; })) {
    refuse(where, "all numbers are zero: no voice");
  }
  return voice;
}

VoiceFile read_voice_file(const std::filesystem::path& path) {
  const std::string bytes = read_file(path, kMaxVoiceBytes);
  return parse_voice(bytes_of(bytes), path);
}

}  // namespace kani
