// growth_settings.cc - see growth_settings.h.
#include "kani/train/growth_settings.h"

#include <cmath>
#include <cstdlib>

#include "kani/base/error.h"

namespace kani::train {
namespace {

constexpr const char* kOwnRule = "mean+noise";
constexpr std::string_view kNormal = "normal:";

}  // namespace

std::string GrowthSettings::row_rule() const { return init_audio_rows.value_or(kOwnRule); }

std::optional<double> GrowthSettings::row_deviation() const {
  const std::string rule = row_rule();
  if (!rule.starts_with(kNormal)) return std::nullopt;
  const std::string number = rule.substr(kNormal.size());
  char* end = nullptr;
  const double value = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != '\0' || !std::isfinite(value)) return std::nullopt;
  return value;
}

void GrowthSettings::validate() const {
  const auto range = [](std::optional<int64_t> value, int64_t low, int64_t high, const char* name) {
    require(!value || (*value >= low && *value <= high), name, " is ", value.value_or(0),
            ", must be ", low, " to ", high);
  };
  range(audio_tokens_start, 13, 1 << 22, "audio_tokens_start");
  range(tokens_per_frame, 1, 32, "tokens_per_frame");
  range(speaker_emb_dim, 1, 4096, "speaker_emb_dim");
  range(audio_codebook_size, 1, 1 << 16, "audio_codebook_size");
  const std::string rule = row_rule();
  require(rule == "mean" || rule == kOwnRule || row_deviation().value_or(0) > 0,
          "init_audio_rows is \"", rule,
          "\", must be mean, mean+noise or normal: and a deviation above 0");
  require(!audio_step || (std::isfinite(*audio_step) && *audio_step > 0), "audio_step is ",
          audio_step.value_or(0), ", must be above 0");
}

int64_t GrowthSettings::rows() const {
  return audio_tokens_start.value_or(64410) + tokens_per_frame.value_or(4) * audio_codebook_size;
}

Lfm2Overrides GrowthSettings::overrides() const {
  Lfm2Overrides out;
  if (audio_tokens_start) out.audio_tokens_start = static_cast<int>(*audio_tokens_start);
  if (tokens_per_frame) out.tokens_per_frame = static_cast<int>(*tokens_per_frame);
  out.use_learnable_rope = use_learnable_rope;
  out.alpha_min = alpha_min;
  out.alpha_max = alpha_max;
  out.audio_step = audio_step;
  return out;
}

}  // namespace kani::train
