// convert.cc - `kani convert`: a model in 8 or 4 bits that is used as it lies in its file.
#include "apps/kani/command.h"
#include "apps/kani/json_text.h"
#include "apps/kani/table.h"

namespace kani::cli {
namespace {

class ConvertCommand : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.positional("FOLDER", outputs_, "the folder to make", /*required=*/true);
    flags.heading("Convert");
    flags.toggle({"--force", "", "replace a model that is there", ""}, overwrite_);
    flags.integer(
        {"--calibration", "N",
         "tokens of the model's own speech that decide how q4 is rounded; 0 = none", "6000"},
        calibration_, 0, 1'000'000);
    define_model(flags, model_);
  }

  int run(Context& context) override {
    if (model_.list_devices) {
      print_devices(context.out, common);
      return 0;
    }
    require(outputs_.size() == 1, "kani convert makes one folder, found ", outputs_.size());
    if (model_.dtype == "auto") model_.dtype = "q8";
    require(model_.dtype == "q8" || model_.dtype == "q4", "--dtype is ", model_.dtype,
            ", a model can be stored as q8 or q4");
    const ConvertReport report = convert_model({.engine = model_.engine(),
                                                .output = outputs_[0],
                                                .overwrite = overwrite_,
                                                .calibration = calibration_.value_or(6000)});
    if (common.json) {
      context.out.line(json_document({{"path", outputs_[0]},
                                      {"stored_type", report.stored_type},
                                      {"bytes", report.bytes},
                                      {"source_bytes", report.source_bytes},
                                      {"seconds", report.seconds}}));
    } else {
      context.out.line(concat(printable(outputs_[0], 1000), ": ", report.stored_type, ", ",
                              byte_size(report.bytes), " of weights, from ",
                              byte_size(report.source_bytes)));
    }
    return 0;
  }

 private:
  ModelOptions model_;
  std::vector<std::string> outputs_;
  bool overwrite_ = false;
  std::optional<int> calibration_;
};

}  // namespace

std::unique_ptr<Command> make_convert() { return std::make_unique<ConvertCommand>(); }

}  // namespace kani::cli
