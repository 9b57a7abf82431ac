// voice_list.cc - `kani voice list` and `kani voice show`.
#include "apps/kani/command.h"
#include "apps/kani/json_text.h"
#include "apps/kani/voice_flags.h"
#include "apps/kani/voice_report.h"

namespace kani::cli {
namespace {

class VoiceList : public Command {
 public:
  void define(FlagSet& flags) override { define_voice_flags(flags, places_); }

  int run(Context& context) override {
    const VoiceLibrary library = places_.library();
    if (common.json) {
      Json list = Json::array();
      for (const VoiceEntry& entry : library.entries()) list.push_back(to_json(entry));
      context.out.write(json_items("voices", list, common.json_lines));
      return 0;
    }
    std::vector<Row> rows = {{"voice", "called", "language", "of", "file"}};
    for (const VoiceEntry& entry : library.entries()) {
      rows.push_back({entry.name, printable(entry.display_name, 60),
                      entry.language.empty() ? "-" : printable(entry.language, 20),
                      std::string(voice_place_name(entry.place)),
                      concat(entry.length == 0 ? "unusable: " : "", entry.path)});
    }
    context.out.write(plain_table(rows));
    return 0;
  }

 private:
  VoiceFlags places_;
};

class VoiceShow : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.positional("VOICE", names_, "a voice's name or file, or a mix", /*required=*/true);
    define_voice_flags(flags, places_);
  }

  int run(Context& context) override {
    require(names_.size() == 1, "kani voice show takes one voice, found ", names_.size());
    const Voice voice = places_.library().load(names_[0]);
    if (common.json) {
      context.out.line(common.json_lines ? json_line(to_json(voice))
                                         : json_document(to_json(voice)));
    } else {
      context.out.write(plain_table(to_rows(voice)));
    }
    return 0;
  }

 private:
  std::vector<std::string> names_;
  VoiceFlags places_;
};

}  // namespace

std::unique_ptr<Command> make_voice_list() { return std::make_unique<VoiceList>(); }
std::unique_ptr<Command> make_voice_show() { return std::make_unique<VoiceShow>(); }

}  // namespace kani::cli
