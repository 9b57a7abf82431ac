// convert.cc - a model folder whose matrices are stored as they are used (formats/stored_matrix.h).
// It is made under another name beside the final one, so that nobody ever sees half of it.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <system_error>

#include "kani/base/file.h"
#include "kani/base/sha256.h"
#include "kani/engine/calibrate.h"
#include "kani/engine/engine_impl.h"
#include "kani/formats/safetensors.h"
#include "kani/formats/stored_matrix.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

bool is_taken(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

bool is_model(const fs::path& folder) {
  return is_taken(folder / "config.json") || is_taken(folder / "lm" / "config.json");
}

// A folder under a temporary name; removed unless it is given its own.
class FolderInWork {
 public:
  explicit FolderInWork(const fs::path& final_path)
      : final_(final_path),
        path_(final_path.parent_path() /
              concat(".", final_path.filename().string(), ".", getpid(), ".partial")) {
    std::error_code error;
    fs::remove_all(path_, error);
    fs::create_directories(path_, error);
    if (error) throw_cannot_write(path_, error.value());
  }
  FolderInWork(const FolderInWork&) = delete;
  FolderInWork& operator=(const FolderInWork&) = delete;
  ~FolderInWork() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }

  // What is there already goes when the new one is complete.
  void commit() {
    std::error_code error;
    fs::path old = path_;
    old += ".old";
    const bool replaces = is_taken(final_);
    if (replaces) fs::rename(final_, old, error);
    if (!error) fs::rename(path_, final_, error);
    if (error) {
      std::error_code ignored;
      if (replaces && !is_taken(final_)) fs::rename(old, final_, ignored);
      throw_cannot_write(final_, error.value());
    }
    fs::remove_all(old, error);
  }

 private:
  fs::path final_;
  fs::path path_;
};

// Files and folders; what a link points to is copied.
void copy_into(const fs::path& from, const fs::path& folder) {
  const fs::path to = folder / from.filename();
  if (!fs::is_directory(from)) {
    const MappedFile source(from);
    AtomicFile file(to);
    file.write(source.bytes());
    file.commit();
    return;
  }
  std::error_code error;
  fs::create_directory(to, error);
  if (error) throw_cannot_write(to, error.value());
  for (const fs::directory_entry& entry : fs::directory_iterator(from)) copy_into(entry.path(), to);
}

// Everything but the weights and, of a set, the language model.
void copy_others(const fs::path& from, const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    const bool weights =
        name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json");
    if (weights || name == "lm" || name.ends_with(".partial")) continue;
    copy_into(entry.path(), folder);
  }
}

// One hash for a file or several shards: that of the hex hashes one after the other.
std::string weights_hash(const fs::path& folder) {
  if (is_taken(folder / "model.safetensors")) return sha256_hex(folder / "model.safetensors");
  std::vector<fs::path> shards;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".safetensors") shards.push_back(entry.path());
  }
  std::sort(shards.begin(), shards.end());
  std::string all;
  for (const fs::path& shard : shards) all += sha256_hex(shard);
  return sha256_hex(std::as_bytes(std::span(all)));
}

bool belongs_to_stored(const Lfm2Config& config, const TensorSpec& spec) {
  const bool layer = std::string_view(spec.name).starts_with("model.layers.");
  const bool second_embedding = spec.name == "lm_head.weight" && !config.separate_head;
  return (layer && spec.matrix) || second_embedding;
}

void write_weights(const Lfm2& lm, const TensorFile& source, const std::string& source_hash,
                   const fs::path& path) {
  std::vector<TensorToWrite> tensors;
  bool q4 = false;
  for (const NamedMatrix& matrix : lm.matrices()) {
    const std::span<const std::byte> layout = matrix.weight->layout();
    if (layout.empty()) continue;  // heads that stay exact are rows of the embedding
    const bool is_q4 = matrix.weight->type() == MatrixType::kQ4;
    q4 |= is_q4;
    tensors.push_back(
        {concat(matrix.name, is_q4 ? ".q4" : ".q8"), DType::kU8, {layout.size()}, layout});
  }
  for (const TensorSpec& spec : lfm2_tensors(lm.config())) {
    const TensorInfo* tensor = find_tensor(spec, source);
    if (tensor == nullptr || belongs_to_stored(lm.config(), spec)) continue;
    tensors.push_back({spec.name, tensor->dtype, tensor->shape, tensor->bytes});
  }
  write_safetensors(path, tensors,
                    {{std::string(kStoredVersionKey), std::string(kStoredVersion)},
                     {std::string(kStoredTypeKey), q4 ? "q4" : "q8"},
                     {std::string(kStoredSourceKey), source_hash}});
}

void check_output(const ConvertOptions& options, const fs::path& source) {
  require(!options.output.empty(), "no folder to write to");
  std::error_code ignored;
  const fs::path output = fs::weakly_canonical(options.output, ignored);
  const fs::path from = fs::weakly_canonical(source, ignored);
  const auto inside = [](const fs::path& a, const fs::path& b) {
    return std::mismatch(b.begin(), b.end(), a.begin(), a.end()).first == b.end();
  };
  require(!inside(output, from) && !inside(from, output), "cannot write ", options.output,
          ": it is the model itself or lies in it");
  if (!is_taken(options.output)) return;
  if (!options.overwrite) {
    throw Error(ErrorCode::kCannotWrite, options.output, " exists")
        .with_hint("--force replaces a model");
  }
  if (!fs::is_directory(options.output) || !is_model(options.output)) {
    throw Error(ErrorCode::kCannotWrite, options.output, " is no model folder, and stays");
  }
}

// The model speaks in its own type; what it said goes through it while it is rounded.
std::unique_ptr<Lfm2> calibrated(const ConvertOptions& options, const fs::path& folder,
                                 const Lfm2Config& config,
                                 const std::shared_ptr<const TensorFile>& weights,
                                 CalibratingOps& calibrating, LanguageOps& ops) {
  const auto length = static_cast<size_t>(config.speaker_emb_dim);
  const VoiceLibrary voices({folder, options.engine.voice_folders, length});
  std::vector<OwnSpeech> speech;
  size_t elements = 0;
  {
    Lfm2 exact(config, weights, ops, {std::nullopt, options.engine.check_tensors});
    const Tokenizer tokenizer = Tokenizer::load(folder);
    std::vector<float> voice;
    if (exact.accepts_voice() && !voices.default_voice().empty())
      voice = voices.load_named(voices.default_voice()).values;
    const Sampling sampling =
        sampler_settings(resolve_sampling(load_generation_defaults(folder), {}));
    speech =
        own_speech({exact, tokenizer, sampling, voice}, static_cast<size_t>(options.calibration));
  }
  for (const OwnSpeech& one : speech) elements += one.elements.size();
  log_info("engine", "calibrating with ", elements, " elements of the model's own speech");
  auto lm = std::make_unique<Lfm2>(config, weights, calibrating,
                                   Lfm2Options{MatrixType::kQ4, false, elements});
  calibrate(*lm, speech);
  return lm;
}

}  // namespace

ConvertReport convert_model(const ConvertOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const WeightType type = options.engine.weights;
  require(type == WeightType::kQ8 || type == WeightType::kQ4,
          "a model can be stored as q8 or q4 only");
  fs::path set;
  const fs::path source = find_language_model(options.engine.model, set);
  const bool is_set = set != source && source.filename() == "lm" && is_taken(set / "lm") &&
                      options.engine.model.filename() != "lm";
  check_output(options, is_set ? set : source);

  Lfm2Config config = load_config(source, options.engine);
  std::shared_ptr<const TensorFile> weights = open_safetensors(source);
  lfm2_resolve(config, *weights);
  require(config.stored_type.empty(), source, " is stored as ", config.stored_type,
          " already; convert the model that it was made of");
  const auto backend =
      make_backend({options.engine.device, options.engine.threads, options.engine.isa});
  ThreadPool pool(backend->threads());
  CalibratingOps calibrating(backend->language(), pool);
  std::unique_ptr<Lfm2> lm;
  if (type == WeightType::kQ4 && options.calibration > 0) {
    lm = calibrated(options, source, config, weights, calibrating, backend->language());
  } else {
    lm = std::make_unique<Lfm2>(
        config, weights, backend->language(),
        Lfm2Options{type == WeightType::kQ4 ? MatrixType::kQ4 : MatrixType::kQ8,
                    options.engine.check_tensors});
  }

  FolderInWork work(fs::absolute(options.output).lexically_normal());
  const fs::path folder = is_set ? work.path() / "lm" : work.path();
  if (is_set) copy_others(set, work.path());
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw_cannot_write(folder, error.value());
  copy_others(source, folder);
  const fs::path file = folder / "model.safetensors";
  write_weights(*lm, *weights, weights_hash(source), file);

  ConvertReport report;
  report.stored_type = type == WeightType::kQ4 ? "q4" : "q8";
  report.bytes = fs::file_size(file);
  for (const TensorInfo& tensor : weights->tensors()) report.source_bytes += tensor.bytes.size();
  work.commit();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace kani
