// inspect.cc - questions that need no loaded model: what is in a file, on this machine, in this
// build.
#include <cmath>
#include <map>

#include "kani/audio/libraries.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/engine/engine_impl.h"
#include "kani/formats/nemo.h"
#include "kani/formats/safetensors.h"
#include "kani/formats/stored_matrix.h"
#include "kani/formats/voice_file.h"
#include "kani/spec/speaker.h"
#include "kani/text/libraries.h"
#include "kani/version.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

std::string tensors_fact(const TensorFile& file) {
  uint64_t numbers = 0, bytes = 0;
  std::map<std::string_view, size_t> types;
  for (const TensorInfo& tensor : file.tensors()) {
    numbers += tensor.elements();
    bytes += tensor.bytes.size();
    ++types[dtype_name(tensor.dtype)];
  }
  std::string text =
      concat(file.tensors().size(), " tensors, ", numbers, " numbers, ", bytes, " bytes");
  for (const auto& [name, count] : types) text += concat(", ", count, " ", name);
  return text;
}

// Refuses NaN and infinity in every floating point tensor.
void check_finite(const TensorFile& file) {
  for (const TensorInfo& tensor : file.tensors()) {
    if (tensor.dtype == DType::kU8) continue;  // whole numbers; scales: check_stored()
    const std::vector<float> values = tensor_to_f32(tensor);
    for (size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) {
        throw Error(ErrorCode::kBadInput, file.path(), ": tensor ", tensor.name,
                    " holds NaN or infinity at element ", i);
      }
    }
    file.release(tensor);
  }
}

void check_stored(const Lfm2Config& config, const TensorFile& file) {
  const auto check = [&](const Lfm2Matrix& matrix) {
    if (const auto stored = find_stored(file, matrix.name, matrix.rows, matrix.cols))
      check_stored_scales(*stored, matrix.cols, file);
  };
  for (size_t layer = 0; layer < config.layers.size(); ++layer) {
    for (const Lfm2Matrix& matrix : lfm2_layer_matrices(config, layer)) check(matrix);
  }
  for (int slot = 0; slot < config.tokens_per_frame; ++slot) check(lfm2_head_matrix(config, slot));
}

FileReport check_language_model(const fs::path& folder, bool check_tensors) {
  FileReport report{"language model", {}};
  Lfm2Config config = load_config(folder, {});
  const auto weights = open_safetensors(folder);
  lfm2_resolve(config, *weights);
  load_generation_defaults(folder);
  const Tokenizer tokenizer = Tokenizer::load(folder);
  if (tokenizer.size() > config.vocab_size) {
    throw Error(ErrorCode::kBadInput, folder / "tokenizer.json", ": ", tokenizer.size(),
                " entries, the embedding has ", config.vocab_size, " rows");
  }
  if (check_tensors) {
    check_finite(*weights);
    check_stored(config, *weights);
  }
  report.facts.push_back(tensors_fact(*weights));
  if (!config.stored_type.empty()) {
    report.facts.push_back(concat("matrices stored as ", config.stored_type, ", ",
                                  lfm2_parameters(config, *weights), " numbers in all"));
  }
  report.facts.push_back(concat(config.layers.size(), " layers, hidden size ", config.hidden_size,
                                ", vocabulary ", config.vocab_size, ", ", config.tokens_per_frame,
                                " codebooks of ", config.codebook_size()));
  report.facts.push_back(concat("tokenizer with ", tokenizer.size(), " entries"));
  return report;
}

FileReport check_codec(const fs::path& path, bool check_tensors) {
  FileReport report{"codec", {}};
  const NemoArchive archive = open_nemo(path);
  const NanoCodecConfig config = parse_nanocodec_config(archive.config_yaml, path.string());
  nanocodec_check(config, *archive.weights, config.encoder.present);
  if (check_tensors) check_finite(*archive.weights);
  report.facts.push_back(tensors_fact(*archive.weights));
  report.facts.push_back(concat(config.sample_rate_hz, " Hz, ", config.samples_per_frame,
                                " samples per frame, ", config.codebooks, " codebooks of ",
                                config.codebook_size(),
                                config.encoder.present ? ", with encoder" : ""));
  return report;
}

FileReport check_speaker_encoder(const fs::path& folder, bool check_tensors) {
  const fs::path path = folder / "config.json";
  const SpeakerConfig config =
      parse_speaker_config(read_file(path, kMaxConfigBytes), path.string());
  const auto weights = open_safetensors(folder);
  speaker_check(config, *weights);
  if (check_tensors) check_finite(*weights);
  return {
      "speaker encoder",
      {tensors_fact(*weights), concat(config.layers, " layers, hidden size ", config.hidden_size,
                                      ", voices of ", config.embedding_size, " numbers")}};
}

// Both kinds of folder have a config.json, which says what it is.
bool is_speaker_encoder(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  const Json config = parse_json(read_file(path, kMaxConfigBytes), path.string());
  return config.is_object() && config.contains("model_type") && config["model_type"] == "wavlm";
}

// Upstream's models all take 128 numbers (speaker_emb_dim); voices of other encoders are of no use
// with them.
FileReport check_voice(const fs::path& path) {
  const VoiceFile voice = read_voice_file(path);
  const auto expected = static_cast<size_t>(SpeakerConfig{}.embedding_size);
  if (voice.values.size() != expected) {
    throw Error(ErrorCode::kBadInput, path, ": voice has ", voice.values.size(),
                " numbers, expected ", expected)
        .with_hint("it was made by another speaker encoder");
  }
  double squares = 0;
  for (const float value : voice.values)
    squares += static_cast<double>(value) * static_cast<double>(value);
  return {"voice",
          {concat(voice.values.size(), " numbers, stored as ", dtype_name(voice.stored_dtype), " ",
                  shape_text(voice.stored_shape), " in ", voice.format, ", norm ",
                  std::sqrt(squares))}};
}

FileReport check_safetensors(const fs::path& path, bool check_tensors) {
  const auto file = open_safetensors(path);
  if (file->find("speaker_emb") != nullptr && file->tensors().size() == 1) return check_voice(path);
  if (check_tensors) check_finite(*file);
  return {"tensors", {tensors_fact(*file)}};
}

}  // namespace

FileReport check_file(const fs::path& path, bool check_tensors) {
  if (!is_there(path)) throw Error(ErrorCode::kNotFound, "no such file: ", path);
  if (fs::is_directory(path)) {
    if (is_there(path / "config.json")) {
      return is_speaker_encoder(path) ? check_speaker_encoder(path, check_tensors)
                                      : check_language_model(path, check_tensors);
    }
    if (!is_there(path / "lm" / "config.json")) {
      throw Error(ErrorCode::kBadInput, path,
                  ": no config.json and no lm/config.json in this folder");
    }
    FileReport report = check_language_model(path / "lm", check_tensors);
    report.kind = "model set";
    if (is_there(path / "codec.nemo")) {
      for (std::string& fact : check_codec(path / "codec.nemo", check_tensors).facts) {
        report.facts.push_back("codec: " + fact);
      }
    }
    if (is_there(path / "speaker" / "config.json")) {
      for (std::string& fact : check_speaker_encoder(path / "speaker", check_tensors).facts)
        report.facts.push_back("speaker encoder: " + fact);
    }
    for (const VoiceEntry& voice : list_voices(path)) {
      if (voice.place != VoicePlace::kSet) continue;
      report.facts.push_back("voice " + voice.name + ": " + check_voice(voice.path).facts.at(0));
    }
    return report;
  }
  const std::string ending = path.extension().string(), name = path.filename().string();
  if (ending == ".kshard") {
    throw Error(ErrorCode::kBadInput, path, ": a shard of clips for training, not of a model")
        .with_hint("kani data verify SHARD compares it with its hashes");
  }
  if (ending == ".nemo") return check_codec(path, check_tensors);
  if (ending == ".safetensors" || name.ends_with(".safetensors.index.json")) {
    return check_safetensors(path, check_tensors);
  }
  if (name == "config.json") {
    const Lfm2Config config =
        load_config(path.parent_path().empty() ? "." : path.parent_path(), {});
    return {"configuration",
            {concat(config.layers.size(), " layers, hidden size ", config.hidden_size)}};
  }
  if (name == "tokenizer.json") {
    const Tokenizer tokenizer =
        Tokenizer::load(path.parent_path().empty() ? "." : path.parent_path());
    return {"tokenizer", {concat(tokenizer.size(), " entries")}};
  }
  return check_voice(path);
}

ModelInfo describe_model(const EngineOptions& options) {
  const ModelFiles files = find_model_files(options.model, options.codec);
  Lfm2Config config = load_config(files.language_model, options);
  const auto weights = open_safetensors(files.language_model);
  lfm2_resolve(config, *weights);
  const NemoArchive archive = open_nemo(
      files.codec, [](std::string_view name) { return nanocodec_wants(name, /*encoder=*/false); });
  const NanoCodecConfig codec = parse_nanocodec_config(archive.config_yaml, files.codec.string());
  nanocodec_check(codec, *archive.weights, /*with_encoder=*/false);
  return make_info(files, config, *weights, codec, *archive.weights,
                   VoiceLibrary({.model = files.language_model,
                                 .folders = options.voice_folders,
                                 .voice_length = static_cast<size_t>(config.speaker_emb_dim)}));
}

std::vector<Device> devices() {
  std::vector<Device> out;
  for (const DeviceInfo& device : list_devices()) out.push_back({device.name, device.description});
  return out;
}

std::string version() { return KANI_VERSION; }

BuildInfo build_info() {
  BuildInfo info{KANI_VERSION, KANI_COMMIT, KANI_COMPILER, KANI_BUILD_TYPE, {"cpu"}, {}};
  info.libraries = audio_libraries();
  for (auto& library : text_libraries()) info.libraries.push_back(std::move(library));
  info.libraries.emplace_back(
      "nlohmann-json", concat(NLOHMANN_JSON_VERSION_MAJOR, ".", NLOHMANN_JSON_VERSION_MINOR, ".",
                              NLOHMANN_JSON_VERSION_PATCH));
  return info;
}

}  // namespace kani
