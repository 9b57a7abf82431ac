// model_parts.cc - see model_parts.h.
#include "kani/dataset/model_parts.h"

#include <vector>

#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

fs::path find_codec(const ModelNames& names, const std::vector<fs::path>& folders) {
  if (!names.codec.empty()) {
    if (is_there(names.codec)) return names.codec;
    throw Error(ErrorCode::kNotFound, "no such codec: ", names.codec);
  }
  for (const fs::path& folder : folders) {
    if (is_there(folder / "codec.nemo")) return folder / "codec.nemo";
    std::vector<fs::path> found;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".nemo") found.push_back(entry.path());
    }
    if (found.size() == 1) return found[0];
  }
  throw Error(ErrorCode::kNotFound, "no codec, or more than one, in ", names.model)
      .with_hint("--codec FILE.nemo names one with an encoder");
}

fs::path find_speaker_encoder(const ModelNames& names, const std::vector<fs::path>& folders) {
  if (!names.voices) return {};
  if (!names.speaker_encoder.empty()) {
    if (is_there(names.speaker_encoder / "config.json")) return names.speaker_encoder;
    throw Error(ErrorCode::kNotFound, "no speaker encoder in ", names.speaker_encoder);
  }
  for (const fs::path& folder : folders) {
    if (is_there(folder / "speaker" / "config.json")) return folder / "speaker";
  }
  throw Error(ErrorCode::kNotFound, "no speaker encoder in ", names.model)
      .with_hint("--speaker-encoder FOLDER names one; --speaker-encoder none makes clips without");
}

}  // namespace

ModelParts find_model_parts(const ModelNames& names) {
  if (!is_there(names.model)) throw Error(ErrorCode::kNotFound, "no such model: ", names.model);
  ModelParts parts;
  std::vector<fs::path> folders = {names.model};
  if (is_there(names.model / "lm" / "config.json")) {
    parts.language_model = names.model / "lm";
    folders.push_back(parts.language_model);
  } else if (is_there(names.model / "config.json")) {
    parts.language_model = names.model;
  } else {
    throw Error(ErrorCode::kNotFound, "no model in ", names.model, ": neither config.json nor lm/");
  }
  parts.codec = find_codec(names, folders);
  parts.speaker_encoder = find_speaker_encoder(names, folders);
  return parts;
}

}  // namespace kani
