// models.cc - `kani models list` and `kani models show`.  Nothing is fetched or removed here;
// weights are not loaded.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>

#include "apps/kani/command.h"
#include "apps/kani/directories.h"
#include "apps/kani/json_text.h"
#include "apps/kani/table.h"

namespace kani::cli {
namespace {

namespace fs = std::filesystem;

Json to_json(const ModelInfo& info) {
  return {{"model_path", info.model_path.string()},
          {"codec_path", info.codec_path.string()},
          {"architecture", info.architecture},
          {"parameters", info.parameters},
          {"codec_parameters", info.codec_parameters},
          {"file_bytes", info.file_bytes},
          {"codec_file_bytes", info.codec_file_bytes},
          {"stored_type", info.stored_type},
          {"layers", info.layers},
          {"hidden_size", info.hidden_size},
          {"vocabulary", info.vocabulary},
          {"codebook_size", info.codebook_size},
          {"speaker_emb_dim", info.speaker_emb_dim},
          {"sample_rate_hz", info.sample_rate_hz},
          {"frames_per_second", info.frames_per_second},
          {"audio_step", info.audio_step},
          {"learnable_rope", info.learnable_rope},
          {"accepts_voice", info.accepts_voice},
          {"language_tags", info.language_tags},
          {"licence", info.licence},
          {"voices", info.voices},
          {"default_voice", info.default_voice}};
}

std::string joined(const std::vector<std::string>& words, const char* none) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out.empty() ? none : out;
}

std::vector<Row> to_rows(const ModelInfo& info) {
  return {{"model", info.model_path.string()},
          {"codec", info.codec_path.string()},
          {"architecture", info.architecture},
          {"parameters",
           concat(count_size(info.parameters), ", codec ", count_size(info.codec_parameters))},
          {"files", concat(byte_size(info.file_bytes), " ", info.stored_type, ", codec ",
                           byte_size(info.codec_file_bytes))},
          {"size", concat(info.layers, " layers, width ", info.hidden_size, ", vocabulary ",
                          info.vocabulary)},
          {"sound", concat(info.sample_rate_hz, " Hz, ", info.frames_per_second,
                           " frames a second, codebooks of ", info.codebook_size)},
          {"positions",
           concat("audio step ", info.audio_step, info.learnable_rope ? ", learned factors" : "")},
          {"languages", joined(info.language_tags, "no tags")},
          {"voices", info.accepts_voice ? joined(info.voices, "none in the set")
                                        : std::string("takes no voice")},
          {"voice length", concat(info.speaker_emb_dim)},
          {"default voice", info.default_voice.empty() ? "none" : info.default_voice},
          {"licence", info.licence.empty() ? "unknown" : info.licence}};
}

class ModelsShow : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.positional("MODEL", paths_, "model folder", /*required=*/false);
    define_model(flags, model_);
  }

  int run(Context& context) override {
    if (model_.list_devices) {
      print_devices(context.out, common);
      return 0;
    }
    require(paths_.size() <= 1, "kani models show takes one model, found ", paths_.size());
    if (!paths_.empty()) model_.model = paths_[0];
    const ModelInfo info = describe_model(model_.engine());
    if (common.json) {
      context.out.line(json_document(to_json(info)));
    } else {
      context.out.write(plain_table(to_rows(info)));
    }
    return 0;
  }

 private:
  std::vector<std::string> paths_;
  ModelOptions model_;
};

struct Found {
  std::string name;
  fs::path path;
  std::optional<ModelInfo> info;
  std::string problem;  // why it cannot be used
};

bool looks_like_model(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "config.json", error) ||
         fs::exists(folder / "lm" / "config.json", error);
}

Found describe(const std::string& name, const fs::path& path) {
  Found found;
  found.name = name;
  found.path = path;
  EngineOptions options;
  options.model = path;
  try {
    found.info = describe_model(options);
  } catch (const Error& error) {
    found.problem = error.what();
  }
  return found;
}

/// The folder itself if it is a model, else the models among its children.
void add_folder(std::vector<Found>& found, std::set<fs::path>& seen, const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> candidates;
  if (looks_like_model(folder)) {
    candidates.push_back(folder);
  } else {
    for (const fs::directory_entry& child : fs::directory_iterator(folder, error))
      candidates.push_back(child.path());
    std::sort(candidates.begin(), candidates.end());
  }
  for (const fs::path& path : candidates) {
    if (!looks_like_model(path) || !seen.insert(fs::weakly_canonical(path, error)).second) continue;
    found.push_back(
        describe(path.filename().empty() ? path.parent_path().filename() : path.filename(), path));
  }
}

/// Snapshots of the hub's own library: models--USER--REPO/snapshots/COMMIT.
void add_hub_cache(std::vector<Found>& found, std::set<fs::path>& seen) {
  std::error_code error;
  std::vector<fs::path> repositories;
  for (const fs::directory_entry& entry : fs::directory_iterator(hub_cache_folder(), error)) {
    if (entry.path().filename().string().starts_with("models--"))
      repositories.push_back(entry.path());
  }
  std::sort(repositories.begin(), repositories.end());
  for (const fs::path& repository : repositories) {
    std::string name = repository.filename().string().substr(8);
    if (const size_t at = name.find("--"); at != std::string::npos) name.replace(at, 2, "/");
    for (const fs::directory_entry& snapshot :
         fs::directory_iterator(repository / "snapshots", error)) {
      if (!looks_like_model(snapshot.path()) || !seen.insert(snapshot.path()).second) continue;
      found.push_back(describe(name, snapshot.path()));
    }
  }
}

class ModelsList : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.positional("FOLDER", folders_, "folders to look in, beside the usual ones",
                     /*required=*/false);
  }

  int run(Context& context) override {
    const std::vector<Found> found = search();
    if (common.json) {
      context.out.write(json_items("models", as_json(found), common.json_lines));
      return 0;
    }
    std::vector<Row> rows = {{"name", "parameters", "type", "size", "path"}};
    for (const Found& model : found) rows.push_back(row(model));
    context.out.write(plain_table(rows));
    return 0;
  }

 private:
  std::vector<Found> search() const {
    std::vector<Found> found;
    std::set<fs::path> seen;
    for (const std::string& folder : folders_) {
      std::error_code error;
      if (!fs::is_directory(folder, error)) {
        throw Error(ErrorCode::kNotFound, "no folder at ", printable(folder, 200));
      }
      add_folder(found, seen, folder);
    }
    try {
      const fs::path preset = default_model_path();
      add_folder(found, seen, preset);
      add_folder(found, seen, preset.parent_path());
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound) throw;
    }
    add_hub_cache(found, seen);
    return found;
  }

  static Row row(const Found& model) {
    if (!model.info)
      return {model.name, "-", "-", "unusable",
              concat(model.path, ": ", printable(model.problem, 200))};
    return {model.name, count_size(model.info->parameters + model.info->codec_parameters),
            model.info->stored_type,
            byte_size(model.info->file_bytes + model.info->codec_file_bytes), model.path.string()};
  }

  static Json as_json(const std::vector<Found>& found) {
    Json list = Json::array();
    for (const Found& model : found) {
      Json entry = {
          {"name", model.name}, {"path", model.path.string()}, {"usable", model.info.has_value()}};
      if (model.info) {
        entry["info"] = to_json(*model.info);
      } else {
        entry["problem"] = model.problem;
      }
      list.push_back(std::move(entry));
    }
    return list;
  }

  std::vector<std::string> folders_;
};

}  // namespace

std::unique_ptr<Command> make_models_show() { return std::make_unique<ModelsShow>(); }
std::unique_ptr<Command> make_models_list() { return std::make_unique<ModelsList>(); }

}  // namespace kani::cli
