// model_files.cc - see model_files.h.
#include "kani/engine/model_files.h"

#include <unistd.h>

#include <cstdlib>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/kani.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCodecRepository = "nvidia/nemo-nano-codec-22khz-0.6kbps-12.5fps";
constexpr const char* kSpeakerRepositories[] = {"nineninesix/speaker-emb-tbr",
                                                "Orange/Speaker-wavLM-tbr"};

fs::path environment_path(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? fs::path() : fs::path(value);
}

fs::path home() {
  const fs::path folder = environment_path("HOME");
  return folder.empty() ? fs::path("/") : folder;
}

// The order of the hub's own library.
fs::path hub_cache() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (const fs::path folder = environment_path(name); !folder.empty()) return folder;
  }
  if (const fs::path folder = environment_path("HF_HOME"); !folder.empty()) return folder / "hub";
  if (const fs::path folder = environment_path("XDG_CACHE_HOME"); !folder.empty()) {
    return folder / "huggingface" / "hub";
  }
  return home() / ".cache" / "huggingface" / "hub";
}

// "user/repo" or "user/repo@revision" with the hub's characters, nothing that could leave the
// cache.
bool is_repository_name(const std::string& name) {
  const size_t slash = name.find('/');
  if (slash == std::string::npos || slash == 0 || name.find('/', slash + 1) != std::string::npos)
    return false;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain && std::string_view("/._-@").find(c) == std::string_view::npos) return false;
  }
  return name.find("..") == std::string::npos && name[0] != '.' && name[0] != '/';
}

std::optional<fs::path> nemo_file_in(const fs::path& folder) {
  if (is_there(folder / "codec.nemo")) return folder / "codec.nemo";
  std::error_code error;
  std::optional<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".nemo") continue;
    if (found) return std::nullopt;  // two of them: the user must say which
    found = entry.path();
  }
  return found;
}

fs::path find_codec(const fs::path& codec, const fs::path& language_model, const fs::path& set) {
  if (!codec.empty()) {
    if (is_there(codec)) {
      if (!fs::is_directory(codec)) return codec;
      if (const auto file = nemo_file_in(codec)) return *file;
      throw Error(ErrorCode::kNotFound, "no .nemo file, or more than one, in ", codec);
    }
    if (is_repository_name(codec.string())) {
      if (const auto snapshot = find_hub_snapshot(codec.string())) {
        if (const auto file = nemo_file_in(*snapshot)) return *file;
      }
    }
    throw Error(ErrorCode::kNotFound, "no such codec: ", codec);
  }
  for (const fs::path& folder : {set, language_model}) {
    if (folder.empty()) continue;
    if (const auto file = nemo_file_in(folder)) return *file;
  }
  if (const auto snapshot = find_hub_snapshot(kCodecRepository)) {
    if (const auto file = nemo_file_in(*snapshot)) return *file;
  }
  throw Error(ErrorCode::kNotFound, "no codec found for ", language_model)
      .with_hint(concat("name it with --codec FILE.nemo, or put ", kCodecRepository,
                        " into the hub's cache; this build does not download"));
}

}  // namespace

std::optional<fs::path> find_hub_snapshot(const std::string& repository) {
  const size_t at = repository.find('@');
  const std::string name = repository.substr(0, at);
  const std::string revision = at == std::string::npos ? "main" : repository.substr(at + 1);
  if (!is_repository_name(name) || revision.empty() || revision.find('/') != std::string::npos) {
    return std::nullopt;
  }
  std::string folder = "models--" + name;
  folder.replace(folder.find('/'), 1, "--");
  const fs::path root = hub_cache() / folder;
  if (is_there(root / "snapshots" / revision)) return root / "snapshots" / revision;
  if (!is_there(root / "refs" / revision)) return std::nullopt;
  std::string commit = read_file(root / "refs" / revision, 200);
  while (!commit.empty() && (commit.back() == '\n' || commit.back() == ' ')) commit.pop_back();
  if (commit.empty() || commit.find_first_not_of("0123456789abcdef") != std::string::npos)
    return std::nullopt;
  const fs::path snapshot = root / "snapshots" / commit;
  return is_there(snapshot) ? std::optional(snapshot) : std::nullopt;
}

fs::path user_data_folder() {
  const fs::path folder = environment_path("XDG_DATA_HOME");
  return folder.empty() ? home() / ".local" / "share" : folder;
}

fs::path find_language_model(const fs::path& model, fs::path& set) {
  fs::path path = model.empty() ? default_model_path() : model;
  if (!is_there(path)) {
    if (is_repository_name(path.string())) {
      if (const auto snapshot = find_hub_snapshot(path.string())) {
        path = *snapshot;
      } else {
        throw Error(ErrorCode::kNotFound, "no such model: ", path)
            .with_hint("it is neither a path nor in the hub's cache; this build does not download");
      }
    } else {
      throw Error(ErrorCode::kNotFound, "no such model: ", path);
    }
  }
  if (!fs::is_directory(path)) {
    // config.json or a weights file stands for its folder; anything else is no language model.
    const bool member = path.filename() == "config.json" || path.extension() == ".safetensors" ||
                        path.string().ends_with(".safetensors.index.json");
    if (!member)
      throw Error(ErrorCode::kBadInput, path, ": not a model folder and not a file of one");
    path = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  }
  if (is_there(path / "lm" / "config.json")) {
    set = path;
    return path / "lm";
  }
  if (is_there(path / "config.json")) {
    const fs::path parent = fs::absolute(path).lexically_normal().parent_path();
    const fs::path folder = path.filename() == "lm" ? parent : path;
    set = folder;
    return path;
  }
  throw Error(ErrorCode::kNotFound, "no config.json in ", path, ", and no lm/config.json");
}

ModelFiles find_model_files(const fs::path& model, const fs::path& codec) {
  ModelFiles files;
  files.language_model = find_language_model(model, files.set);
  files.codec = find_codec(codec, files.language_model, files.set);
  return files;
}

SpeakerEncoderFiles find_speaker_encoder(const fs::path& encoder, const fs::path& language_model,
                                         const fs::path& set) {
  const auto named = [](const fs::path& folder) {
    std::error_code error;
    const fs::path whole = fs::weakly_canonical(folder, error);
    return SpeakerEncoderFiles{folder,
                               (whole.parent_path().filename() / whole.filename()).string()};
  };
  if (!encoder.empty()) {
    if (is_there(encoder)) {
      const fs::path folder = fs::is_directory(encoder)       ? encoder
                              : encoder.parent_path().empty() ? fs::path(".")
                                                              : encoder.parent_path();
      if (is_there(folder / "config.json")) return named(folder);
      throw Error(ErrorCode::kNotFound, "no config.json of a speaker encoder in ", folder);
    }
    if (const auto snapshot = find_hub_snapshot(encoder.string()))
      return {*snapshot, encoder.string()};
    throw Error(ErrorCode::kNotFound, "no such speaker encoder: ", encoder)
        .with_hint("it is neither a path nor in the hub's cache; this build does not download");
  }
  for (const fs::path& base : {set, language_model, language_model.parent_path()}) {
    if (!base.empty() && is_there(base / "speaker" / "config.json")) return named(base / "speaker");
  }
  for (const char* repository : kSpeakerRepositories) {
    if (const auto snapshot = find_hub_snapshot(repository)) return {*snapshot, repository};
  }
  throw Error(ErrorCode::kNotFound, "no speaker encoder found")
      .with_hint(concat("name its folder with --speaker-encoder, or put ", kSpeakerRepositories[0],
                        " into the hub's cache; this build does not download"));
}

fs::path default_model_path() {
  if (const fs::path model = environment_path("KANI_MODEL"); !model.empty()) return model;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  for (fs::path folder = program.parent_path(); !folder.empty(); folder = folder.parent_path()) {
    for (const char* place : {"share/kani/models/kani-mini", "models/kani-mini"}) {
      if (is_there(folder / place / "lm" / "config.json")) return folder / place;
    }
    if (folder == folder.root_path()) break;
  }
  throw Error(ErrorCode::kNotFound, "no default model beside ", program)
      .with_hint("name one with -m FOLDER or in KANI_MODEL");
}

}  // namespace kani
