// lora_settings.cc - see lora_settings.h.
#include "kani/train/lora_settings.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <string_view>

#include "kani/base/error.h"

namespace kani::train {
namespace {

constexpr int64_t kMostId = 1 << 24;

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

}  // namespace

double LoraSettings::scale() const {
  const auto r = static_cast<double>(rank);
  return rank == 0 ? 0 : alpha / (rank_stabilized ? std::sqrt(r) : r);
}

std::vector<int64_t> LoraSettings::token_ids() const {
  std::set<int64_t> ids;
  for (const std::string_view text : token_rows) {
    const size_t dash = text.find('-');
    const auto first = whole_number(text.substr(0, dash));
    const auto last = dash == std::string::npos ? first : whole_number(text.substr(dash + 1));
    require(first && last && *first >= 0 && *first <= *last && *last <= kMostId,
            "trainable_token_indices: \"", text,
            "\" is neither an id nor a stretch of ids as 64400-64409");
    for (int64_t id = *first; id <= *last; ++id) ids.insert(id);
  }
  return {ids.begin(), ids.end()};
}

void LoraSettings::validate() const {
  require(rank >= 0 && rank <= 4096, "lora_rank is ", rank, ", must be 0 to 4096");
  require(std::isfinite(alpha) && alpha > 0, "lora_alpha is ", alpha, ", must be above 0");
  require(dropout >= 0 && dropout < 1, "lora_dropout is ", dropout, ", must be 0 to below 1");
  require(rank == 0 || !targets.empty(), "lora_targets is empty, must name modules");
  require(rank > 0 || also_trained.empty(), "modules_to_save needs lora_rank above 0");
  require(rank > 0 || token_rows.empty(), "trainable_token_indices needs lora_rank above 0");
  require(rank > 0 || !rank_stabilized, "use_rslora needs lora_rank above 0");
  token_ids();
}

}  // namespace kani::train
