// check.cc - `kani check FILE…`: what a load would refuse, told without running anything.
#include "apps/kani/command.h"
#include "apps/kani/json_text.h"
#include "apps/kani/program.h"

namespace kani::cli {
namespace {

class CheckCommand : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.positional("FILE", paths_,
                     "model folder, config.json, tokenizer.json, .safetensors, .nemo or voice",
                     /*required=*/true);
    flags.heading("Check");
    flags.toggle({"--check-tensors", "", "look for NaN and infinity in all numbers, too", ""},
                 check_tensors_);
  }

  /// Goes on after a bad file; the status is the first one's.
  int run(Context& context) override {
    int status = 0;
    Json list = Json::array();
    for (const std::string& path : paths_) {
      Json entry = {{"path", path}, {"ok", true}};
      try {
        const FileReport report = check_file(path, check_tensors_);
        entry["kind"] = report.kind;
        entry["facts"] = report.facts;
        if (!common.json) print(context, path, report);
      } catch (const Error& error) {
        entry["ok"] = false;
        entry["error"] = {{"code", error_name(error.code())}, {"message", error.what()}};
        context.errors.print(error_name(error.code()), error.what(), error.hint());
        if (status == 0) status = exit_status(error.code());
      }
      list.push_back(std::move(entry));
    }
    if (common.json) context.out.write(json_items("files", list, common.json_lines));
    return status;
  }

 private:
  static void print(Context& context, const std::string& path, const FileReport& report) {
    std::string text = concat(printable(path, 1000), ": ok, ", report.kind, "\n");
    for (const std::string& fact : report.facts) text += concat("  ", printable(fact, 1000), "\n");
    context.out.write(text);
  }

  std::vector<std::string> paths_;
  bool check_tensors_ = false;
};

}  // namespace

std::unique_ptr<Command> make_check() { return std::make_unique<CheckCommand>(); }

}  // namespace kani::cli
