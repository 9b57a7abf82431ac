// doctor.cc - `kani doctor`: is this machine ready to speak, and if not, what is missing.
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <system_error>

#include "apps/kani/command.h"
#include "apps/kani/directories.h"
#include "apps/kani/json_text.h"
#include "apps/kani/machine.h"
#include "apps/kani/program.h"
#include "apps/kani/settings.h"
#include "apps/kani/table.h"
#include "kani/audio/player.h"
#include "kani/base/thread_pool.h"

namespace kani::cli {
namespace {

namespace fs = std::filesystem;

enum class Health { kOk, kNote, kProblem };

struct Finding {
  std::string what;
  Health health = Health::kOk;
  std::string detail;
  int status = 0;  // exit status that a problem asks for
};

const char* health_name(Health health) {
  return health == Health::kOk ? "ok" : health == Health::kNote ? "note" : "problem";
}

/// A look that failed becomes a problem and ends nothing.
Finding look(const std::string& what, const std::function<Finding()>& body) {
  try {
    Finding finding = body();
    finding.what = what;
    return finding;
  } catch (const Error& error) {
    return {what, Health::kProblem, error.what(), exit_status(error.code())};
  }
}

std::string library_list(const BuildInfo& build) {
  std::string text;
  for (const auto& [name, version] : build.libraries) {
    text += concat(text.empty() ? "" : ", ", name, " ", version);
  }
  return text;
}

Finding look_at_device() {
  std::string text;
  for (const Device& device : devices())
    text += concat(text.empty() ? "" : "; ", device.name, ": ", device.description);
  return {"", text.empty() ? Health::kProblem : Health::kOk,
          text.empty() ? "no device found" : text, 1};
}

Finding look_at_memory(const ModelInfo* model) {
  const uint64_t available = available_memory_bytes();
  const std::string text =
      concat(byte_size(available), " of ", byte_size(total_memory_bytes()), " are free");
  const uint64_t need = model == nullptr ? 0 : model->file_bytes + model->codec_file_bytes;
  if (available > 0 && need > available)
    return {"", Health::kNote, concat(text, ", the model has ", byte_size(need)), 0};
  return {"", Health::kOk, text, 0};
}

Finding look_at_player() {
  if (const auto player = find_player()) return {"", Health::kOk, player->string(), 0};
  return {"", Health::kNote,
          "none found (pw-play, paplay, aplay, ffplay); kani say writes output.wav instead", 0};
}

Finding look_at_folder(const fs::path& folder) {
  if (folder.empty()) return {"", Health::kNote, "no home folder known", 0};
  std::error_code error;
  if (!fs::exists(folder, error)) return {"", Health::kOk, concat(folder, " (not there yet)"), 0};
  if (access(folder.c_str(), R_OK | X_OK) != 0)
    return {"", Health::kNote, concat(folder, " cannot be read"), 0};
  const bool writable = access(folder.c_str(), W_OK) == 0;
  return {"", Health::kOk, concat(folder, writable ? "" : " (read only)"), 0};
}

/// Speaks for about two seconds and looks at the samples.
Finding self_test(const EngineOptions& options) {
  Engine engine(options);
  SpeechRequest request;
  request.text = "This is a test of the speech engine.";
  request.sampling.seed = 1;
  request.sampling.max_new_tokens = 100;
  uint64_t samples = 0;
  double energy = 0;
  const SpeechResult result = engine.speak(request, [&](std::span<const float> part) {
    samples += part.size();
    for (const float sample : part)
      energy += static_cast<double>(sample) * static_cast<double>(sample);
    return true;
  });
  const double level = samples == 0 ? 0 : std::sqrt(energy / static_cast<double>(samples));
  const std::string text =
      concat(byte_size(samples * 2), " of sound, ", result.sound_s, " s in ", result.elapsed_s,
             " s, level ", level, ", ", engine.backend_name(), ", codec in ", engine.codec_type());
  // NaN fails the comparison, too.
  const bool heard = samples > 0 && level > 1e-4 && level <= 1;
  return {"", heard ? Health::kOk : Health::kProblem, heard ? text : concat("no sound: ", text), 1};
}

class DoctorCommand : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.heading("Doctor");
    flags.toggle(
        {"--settings", "", "print every setting, its value and where it is from, and end", ""},
        settings_);
    flags.toggle({"--no-self-test", "", "do not load the model and speak", ""}, no_self_test_);
    define_model(flags, model_);
  }

  int run(Context& context) override {
    if (model_.list_devices) {
      print_devices(context.out, common);
      return 0;
    }
    return settings_ ? print_settings(context) : examine(context);
  }

 private:
  /// Speaking needs none, so its absence is no problem, but one that cannot be used is.
  Finding look_at_encoder() const {
    VoiceEncoderOptions options;
    options.encoder = model_.speaker_encoder;
    options.model = model_.model;
    try {
      const VoiceEncoder encoder(options);
      return {"", Health::kOk,
              concat(encoder.folder(), ", voices of ", encoder.voice_length(), " numbers"), 0};
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound || !options.encoder.empty()) throw;
      return {"", Health::kNote, concat(error.what(), "; kani voice add and --ref need one"), 0};
    }
  }

  std::vector<Finding> find() {
    std::vector<Finding> all;
    const BuildInfo build = build_info();
    all.push_back({"program", Health::kOk,
                   concat(build.version, ", commit ", build.commit, ", ", build.compiler), 0});
    all.push_back({"libraries", Health::kOk, library_list(build), 0});
    all.push_back(look("devices", look_at_device));
    all.push_back(look("threads", [this] {
      return Finding{"", Health::kOk, concat(thread_count(model_.threads)), 0};
    }));
    std::optional<ModelInfo> model;
    Finding model_finding = look("model", [&] {
      model = describe_model(model_.engine());
      return Finding{"", Health::kOk,
                     concat(model->model_path, ", ", count_size(model->parameters),
                            " parameters, codec ", model->codec_path),
                     0};
    });
    all.push_back(look("memory", [&] { return look_at_memory(model ? &*model : nullptr); }));
    all.push_back(model_finding);
    if (model) {
      all.push_back(look("voices", [&] {
        return Finding{"", Health::kOk,
                       concat(list_voices(model->model_path).size(), " found, default ",
                              model->default_voice.empty() ? "none" : model->default_voice),
                       0};
      }));
    }
    if (model) all.push_back(look("speaker encoder", [this] { return look_at_encoder(); }));
    all.push_back(look("player", look_at_player));
    all.push_back(look("configuration", [this] {
      const ConfigFile config = read_config(common.config);
      return Finding{
          "", Health::kOk,
          config.path.empty() ? concat(user_config_path(), " (not there)") : config.path.string(),
          0};
    }));
    all.push_back(look("voice folder", [] { return look_at_folder(user_voice_folder()); }));
    all.push_back(look("hub cache", [] { return look_at_folder(hub_cache_folder()); }));
    if (!no_self_test_ && model)
      all.push_back(look("self test", [this] { return self_test(model_.engine()); }));
    return all;
  }

  int examine(Context& context) {
    const std::vector<Finding> findings = find();
    int status = 0;
    Json list = Json::array();
    std::vector<Row> rows;
    for (const Finding& finding : findings) {
      if (finding.health == Health::kProblem && status == 0) status = finding.status;
      rows.push_back({health_name(finding.health), finding.what, printable(finding.detail, 1000)});
      list.push_back({{"check", finding.what},
                      {"result", health_name(finding.health)},
                      {"detail", finding.detail}});
    }
    if (common.json) {
      context.out.write(common.json_lines
                            ? json_items("checks", list, /*lines=*/true)
                            : json_document({{"ok", status == 0}, {"checks", list}}) + "\n");
    } else {
      context.out.write(plain_table(rows));
    }
    return status;
  }

  /// The settings of this call first, then those that only other subcommands have, as they would be
  /// there.
  int print_settings(Context& context) {
    std::vector<Setting> all = context.settings;
    const ConfigFile config = read_config(common.config);
    for (const CommandEntry& entry : commands()) {
      const ParsedCommand other(entry);
      for (Setting& setting : apply_settings(other.app(), entry.name, config)) {
        const bool known = std::any_of(all.begin(), all.end(),
                                       [&](const Setting& s) { return s.flag == setting.flag; });
        if (!known) all.push_back(std::move(setting));
      }
    }
    std::vector<Row> rows;
    Json list = Json::array();
    for (const Setting& setting : all) {
      const std::string origin = origin_text(setting);
      rows.push_back(
          {setting.flag, setting.value.empty() ? "-" : printable(setting.value, 200), origin});
      list.push_back({{"setting", setting.flag}, {"value", setting.value}, {"origin", origin}});
    }
    if (common.json) {
      context.out.write(json_items("settings", list, common.json_lines));
    } else {
      context.out.write(plain_table(rows));
    }
    return 0;
  }

  static std::string origin_text(const Setting& setting) {
    if (setting.origin == Origin::kDefault) return "default";
    return setting.origin == Origin::kCommandLine ? "command line" : setting.where;
  }

  bool settings_ = false;
  bool no_self_test_ = false;
  ModelOptions model_;
};

}  // namespace

std::unique_ptr<Command> make_doctor() { return std::make_unique<DoctorCommand>(); }

}  // namespace kani::cli
