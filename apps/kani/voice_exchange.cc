// voice_exchange.cc - `kani voice export` and `kani voice import`: voices to and from other
// programs.
#include <cstdint>

#include "apps/kani/command.h"
#include "apps/kani/json_text.h"
#include "apps/kani/program.h"
#include "apps/kani/voice_flags.h"
#include "apps/kani/voice_report.h"
#include "kani/base/file.h"

namespace kani::cli {
namespace {

constexpr const char* kFormats = "safetensors|pt|npy|json";

class VoiceExport : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.positional("VOICE", names_, "a voice's name or file, or a mix", /*required=*/true);
    flags.heading("Output");
    flags.choice({"--format", kFormats, "of the file; .pt and .npy hold nothing but the numbers",
                  "from the file's ending, else safetensors"},
                 format_);
    flags.string({"-o,--output-file", "FILE", "- is standard output", "NAME.FORMAT"}, file_);
    define_voice_flags(flags, places_);
  }

  int run(Context& context) override {
    require(names_.size() == 1, "kani voice export takes one voice, found ", names_.size());
    const Voice voice = places_.library().load(names_[0]);
    const std::string format = chosen_format();
    const std::string bytes = voice_file_bytes(voice, format);
    if (file_ == "-") {
      context.out.write(bytes);
      return 0;
    }
    const std::filesystem::path path =
        file_.empty() ? voice_id_of(voice.name) + "." + format : file_;
    write_file(path, bytes);
    if (common.json) {
      context.out.line(
          json_line({{"id", voice.name}, {"format", format}, {"path", path.string()}}));
    } else {
      context.out.line(printable(path.string(), 1000));
    }
    return 0;
  }

 private:
  std::string chosen_format() const {
    if (!format_.empty()) return format_;
    const std::string ending = std::filesystem::path(file_).extension().string();
    return ending.empty() ? "safetensors" : ending.substr(1);
  }

  std::vector<std::string> names_;
  std::string format_, file_;
  VoiceFlags places_;
};

class VoiceImport : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.positional("FOLDER", folders_, "voice files, or speaker_map.json and what it names",
                     /*required=*/true);
    flags.heading("The voices");
    flags.toggle({"--force", "", "replace voices of the same names", ""}, force_);
    define_voice_flags(flags, places_);
  }

  /// Goes on after a bad file; the status is the first one's.
  int run(Context& context) override {
    VoiceLibrary library = places_.library();
    Json list = Json::array();
    int status = 0;
    size_t found = 0;
    for (const std::string& folder : folders_) {
      for (const ForeignVoice& foreign : foreign_voices(folder)) {
        ++found;
        try {
          take(context, library, foreign, list);
        } catch (const Error& error) {
          context.errors.print(error_name(error.code()), error.what(), error.hint());
          if (status == 0) status = exit_status(error.code());
        }
      }
    }
    if (found == 0) {
      throw Error(ErrorCode::kNotFound, "no voices in ", printable(folders_[0], 200))
          .with_hint("a voice is a file .safetensors, .pt, .npy or .json");
    }
    if (common.json) context.out.write(json_items("voices", list, common.json_lines));
    return status;
  }

 private:
  void take(Context& context, VoiceLibrary& library, const ForeignVoice& foreign,
            Json& list) const {
    Voice voice = read_voice(foreign.path);
    voice.name = voice_id_of(foreign.path.stem().string());
    if (!foreign.display_name.empty()) voice.details["name"] = foreign.display_name;
    library.check_length(voice);
    VoiceLibrary::AddOptions options;
    options.replace = force_;
    voice.path = library.add(voice, options);
    list.push_back(to_json(voice));
    if (!common.json)
      context.out.line(concat("voice ", voice.name, ": ", printable(voice.path.string(), 1000)));
  }

  std::vector<std::string> folders_;
  bool force_ = false;
  VoiceFlags places_;
};

}  // namespace

std::unique_ptr<Command> make_voice_export() { return std::make_unique<VoiceExport>(); }
std::unique_ptr<Command> make_voice_import() { return std::make_unique<VoiceImport>(); }

}  // namespace kani::cli
