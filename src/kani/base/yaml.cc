// yaml.cc - an event handler that builds the tree and enforces the limits while yaml-cpp reads, so
// that nothing the limits forbid is ever built.  yaml-cpp's own Node type is not used: it follows
// aliases.
#include "kani/base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <cmath>
#include <sstream>
#include <unordered_set>

#include "kani/base/error.h"
#include "kani/base/utf8.h"

namespace kani {
namespace {

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view source, const YamlLimits& limits)
      : source_(source), limits_(limits) {}

  YamlValue take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    count(mark, anchor, "");
    YamlValue value;
    value.text = "null";  // where it stands as a key
    put(mark, std::move(value));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { fail(mark, "alias"); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    count(mark, anchor, tag);
    YamlValue value;
    value.kind = YamlValue::Kind::kScalar;
    value.quoted = tag == "!";
    value.text = text;
    put(mark, std::move(value));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlValue::Kind::kList);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlValue::Kind::kMap);
  }
  void OnMapEnd() override { close(); }

  [[noreturn]] void fail(const YAML::Mark& mark, std::string_view what) const {
    throw Error(ErrorCode::kBadInput, source_, ": line ", mark.line + 1, ": ", what,
                ", expected plain YAML without anchors, tags and merge keys");
  }

 private:
  // A list or map that is being filled; `key` waits for its value.
  struct Open {
    YamlValue value;
    std::optional<std::string> key;
    std::unordered_set<std::string> keys;  // members.find() would make many keys quadratic
  };

  void count(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag) {
    if (anchor != YAML::NullAnchor) fail(mark, "anchor");
    // "?" and "!" are what the scanner reports for plain and for quoted scalars without a tag.
    if (!tag.empty() && tag != "?" && tag != "!") fail(mark, concat("tag ", printable(tag)));
    if (++values_ > limits_.values) fail(mark, concat("more than ", limits_.values, " values"));
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlValue::Kind kind) {
    count(mark, anchor, tag);
    if (open_.size() >= limits_.depth) {
      fail(mark, concat("more than ", limits_.depth, " nested levels"));
    }
    if (awaits_key()) fail(mark, "key that is a list or map");
    Open entry;
    entry.value.kind = kind;
    entry.value.line = line_of(mark);
    open_.push_back(std::move(entry));
  }

  void close() {
    YamlValue done = std::move(open_.back().value);
    open_.pop_back();
    attach(std::move(done));
  }

  void put(const YAML::Mark& mark, YamlValue value) {
    value.line = line_of(mark);
    if (!awaits_key()) return attach(std::move(value));
    Open& map = open_.back();
    if (value.text == "<<" && !value.quoted) fail(mark, "merge key");
    if (!map.keys.insert(value.text).second) {
      throw Error(ErrorCode::kBadInput, source_, ": line ", mark.line + 1, ": key \"",
                  printable(value.text), "\" stands twice in one map");
    }
    map.key = std::move(value.text);
  }

  void attach(YamlValue value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Open& parent = open_.back(); parent.value.kind == YamlValue::Kind::kList) {
      parent.value.items.push_back(std::move(value));
    } else {
      parent.value.members.push_back({std::move(*parent.key), std::move(value)});
      parent.key.reset();
    }
  }

  bool awaits_key() const {
    return !open_.empty() && open_.back().value.kind == YamlValue::Kind::kMap &&
           !open_.back().key.has_value();
  }
  static size_t line_of(const YAML::Mark& mark) { return static_cast<size_t>(mark.line) + 1; }

  std::string_view source_;
  const YamlLimits& limits_;
  YamlValue root_;
  std::vector<Open> open_;
  size_t values_ = 0;
};

// yaml-cpp guesses encodings from the first bytes and replaces what it cannot decode: refuse first.
void check_bytes(std::string_view text, std::string_view source, const YamlLimits& limits) {
  const auto refuse = [&](const auto&... what) {
    throw Error(ErrorCode::kBadInput, source, ": ", what...);
  };
  if (text.size() > limits.bytes) {
    refuse("YAML of ", text.size(), " bytes, expected at most ", limits.bytes);
  }
  if (text.starts_with("\xEF\xBB\xBF"))
    refuse("byte order mark at the start, expected plain UTF-8");
  if (const auto bad = find_invalid_utf8(text)) refuse("invalid UTF-8 at offset ", *bad);
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') || byte == 0x7F) {
      refuse("control character ", static_cast<int>(byte), " at offset ", i);
    }
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

const YamlValue* YamlValue::find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::optional<int64_t> YamlValue::integer() const {
  if (kind != Kind::kScalar || quoted) return std::nullopt;
  const std::string_view digits = std::string_view(text).substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
  for (const char c : digits) {
    if (!is_digit(c)) return std::nullopt;
  }
  int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> YamlValue::boolean() const {
  if (kind != Kind::kScalar || quoted) return std::nullopt;
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<double> YamlValue::number() const {
  if (kind != Kind::kScalar || quoted || text.empty()) return std::nullopt;
  for (const char c : text) {  // keeps "inf", "nan" and hexadecimal forms out
    if (!is_digit(c) && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E') {
      return std::nullopt;
    }
  }
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

YamlValue parse_yaml(std::string_view text, std::string_view source, const YamlLimits& limits) {
  check_bytes(text, source, limits);
  TreeBuilder builder(source, limits);
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    YamlValue root = builder.take();
    if (parser.HandleNextDocument(builder)) {
      throw Error(ErrorCode::kBadInput, source, ": a second YAML document, expected one");
    }
    return root;
  } catch (const YAML::Exception& error) {
    throw Error(ErrorCode::kBadInput, source, ": line ", error.mark.line + 1, ": ",
                printable(error.msg, 200));
  }
}

}  // namespace kani
