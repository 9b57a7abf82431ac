// prepare.cc - see prepare.h.
#include "kani/dataset/prepare.h"

#include <algorithm>

#include "kani/base/error.h"
#include "kani/base/yaml.h"
#include "kani/dataset/length_statistics.h"

namespace kani {
namespace {

/// One map of the file: keys are taken one by one, and what is left is unknown.
class Section {
 public:
  Section(const YamlValue& map, std::string_view name, std::string_view what)
      : map_(map), name_(name), what_(what) {
    if (map.kind != YamlValue::Kind::kMap) refuse(map, what_, " is no map of keys and values");
  }

  /// nullptr if the key is missing.
  const YamlValue* take(std::string_view key) {
    taken_.emplace_back(key);
    return map_.find(key);
  }

  const YamlValue& need(std::string_view key) {
    const YamlValue* value = take(key);
    if (value == nullptr) refuse(map_, what_, " has no key ", key);
    return *value;
  }

  std::string need_text(std::string_view key) {
    const YamlValue& value = need(key);
    if (value.kind != YamlValue::Kind::kScalar || value.text.empty())
      refuse(value, key, " must be a name");
    return value.text;
  }

  void list_unknown(std::vector<std::string>& out) const {
    for (const YamlValue::Member& member : map_.members) {
      if (std::find(taken_.begin(), taken_.end(), member.first) == taken_.end())
        out.push_back(member.first);
    }
  }

  template <typename... Parts>
  [[noreturn]] void refuse(const YamlValue& where, const Parts&... why) const {
    throw Error(ErrorCode::kBadInput, name_, ": line ", where.line, ": ", why...);
  }

 private:
  const YamlValue& map_;
  std::string_view name_, what_;
  std::vector<std::string> taken_;
};

bool is_null(const YamlValue* value) {
  return value == nullptr || value->kind == YamlValue::Kind::kNull;
}

PrepareSource read_source(Section& section) {
  PrepareSource source;
  source.reponame = section.need_text("reponame");
  if (const YamlValue& name = section.need("name"); name.kind == YamlValue::Kind::kScalar)
    source.name = name.text;
  else if (name.kind != YamlValue::Kind::kNull)
    section.refuse(name, "name must be a name or null");
  source.split = section.need_text("split");
  source.columns.text = section.need_text("text_col_name");
  for (size_t k = 0; k < source.columns.layers.size(); ++k)
    source.columns.layers[k] = section.need_text(concat("nano_layer_", k + 1));
  source.columns.encoded_len = section.need_text("encoded_len");
  source.columns.voice = section.need_text("speaker_emb");
  if (const YamlValue* tag = section.take("language_tag"); !is_null(tag)) {
    if (tag->kind != YamlValue::Kind::kScalar) section.refuse(*tag, "language_tag must be a name");
    source.language_tag = tag->text;
  }
  if (const YamlValue* most = section.take("max_len"); !is_null(most)) {
    const std::optional<int64_t> count = most->integer();
    if (!count || *count < 1)
      section.refuse(*most, "max_len is \"", printable(most->text),
                     "\", must be a number of rows, 1 or more");
    source.max_rows = static_cast<uint64_t>(*count);
  }
  return source;
}

}  // namespace

PrepareConfig parse_prepare_config(std::string_view yaml, std::string_view name) {
  const YamlValue document = parse_yaml(yaml, name);
  Section top(document, name, "the document");
  PrepareConfig config;
  if (const YamlValue& limit = top.need("max_duration_sec"); limit.kind != YamlValue::Kind::kNull) {
    const std::optional<double> seconds = limit.number();
    if (!seconds || *seconds < 0)
      top.refuse(limit, "max_duration_sec is \"", printable(limit.text),
                 "\", must be a number of seconds or null");
    if (*seconds > 0) config.max_duration_s = *seconds;
  }
  if (const YamlValue* statistics = top.take("lenght_statistics"); !is_null(statistics)) {
    const std::optional<bool> wanted = statistics->boolean();
    if (!wanted)
      top.refuse(*statistics, "lenght_statistics is \"", printable(statistics->text),
                 "\", must be true or false");
    config.length_statistics = *wanted;
  }
  const YamlValue& list = top.need("hf_datasets");
  if (list.kind != YamlValue::Kind::kList || list.items.empty())
    top.refuse(list, "hf_datasets must be a list of sources, one at least");
  for (const YamlValue& item : list.items) {
    Section section(item, name, "a source");
    config.sources.push_back(read_source(section));
    section.list_unknown(config.unknown_keys);
  }
  top.list_unknown(config.unknown_keys);
  return config;
}

std::string lower_tag(std::string_view tag) {
  std::string out(tag);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return out;
}

std::string text_with_tag(std::string_view tag, std::string_view text) {
  return tag.empty() ? std::string(text) : concat(lower_tag(tag), ": ", text);
}

bool within_duration(int64_t encoded_len, std::optional<double> max_duration_s) {
  return !max_duration_s ||
         static_cast<double>(encoded_len) / kUpstreamFrameRate <= *max_duration_s;
}

std::vector<int32_t> without_repeated_frames(std::span<const int32_t> codes, size_t codebooks) {
  std::vector<int32_t> kept;
  kept.reserve(codes.size());
  for (size_t at = 0; at < codes.size(); at += codebooks) {
    const auto frame = codes.subspan(at, codebooks);
    if (at > 0 && std::equal(frame.begin(), frame.end(), frame.begin() - codebooks)) continue;
    kept.insert(kept.end(), frame.begin(), frame.end());
  }
  return kept;
}

}  // namespace kani
