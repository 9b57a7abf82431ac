// bench_quality.cc - `kani bench quality`: what coarser weights cost, in numbers.
#include <cstdio>

#include "apps/kani/command.h"
#include "apps/kani/json_text.h"
#include "apps/kani/table.h"

namespace kani::cli {
namespace {

// Everyday sentences; a text given on the command line takes their place.
constexpr const char* kTexts[] = {
    "The old clock in the hall strikes nine.",
    "We walked home in the rain.",
    "She bought a small red car.",
    "Please close the window before you leave.",
    "The children play in the garden all day.",
    "He reads the paper every morning.",
    "My brother lives near the sea.",
    "The train was late again.",
};

std::string digits(const char* format, double value) {
  char text[40];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

class BenchQuality : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.heading("Bench quality");
    flags.positional("TEXT", texts_, "what is spoken [eight short sentences]", /*required=*/false);
    flags.integer({"--frames", "N", "frames of each text", "40"}, frames_, 1, 750);
    flags.string({"--exact", "PATH", "the model to compare with, where MODEL was converted from it",
                  "the same model"},
                 exact_);
    define_model(flags, model_);
  }

  int run(Context& context) override {
    const std::vector<std::string> texts =
        texts_.empty() ? std::vector<std::string>(std::begin(kTexts), std::end(kTexts)) : texts_;
    const QualityReport report =
        compare_quality(model_.engine(), exact_.empty() ? model_.model : exact_, texts,
                        frames_.value_or(40), /*seed=*/1);
    if (common.json) {
      context.out.line(json_document({{"dtype", model_.dtype},
                                      {"tokens", report.tokens},
                                      {"kl_mean", report.kl_mean},
                                      {"kl_largest", report.kl_largest},
                                      {"kl_plain", report.kl_plain},
                                      {"same_top", report.same_top},
                                      {"codec_snr_db", report.codec_snr_db},
                                      {"codec_spectral_db", report.codec_spectral_db},
                                      {"spectral_db", report.spectral_db}}));
      return 0;
    }
    context.out.write(
        plain_table({{"dtype", "tokens", "mean KL, nats", "largest KL", "mean KL, temperature 1",
                      "same best token"},
                     {model_.dtype, std::to_string(report.tokens), digits("%.6f", report.kl_mean),
                      digits("%.4f", report.kl_largest), digits("%.6f", report.kl_plain),
                      digits("%.2f %%", 100 * report.same_top)}}));
    context.out.write(plain_table(
        {{"codec", "signal to noise, dB", "spectral distance, dB",
          "with weights and best tokens, dB"},
         {model_.codec_dtype, digits("%.1f", report.codec_snr_db),
          digits("%.3f", report.codec_spectral_db), digits("%.3f", report.spectral_db)}}));
    return 0;
  }

 private:
  ModelOptions model_;
  std::vector<std::string> texts_;
  std::optional<int> frames_;
  std::string exact_;
};

}  // namespace

std::unique_ptr<Command> make_bench_quality() { return std::make_unique<BenchQuality>(); }

}  // namespace kani::cli
