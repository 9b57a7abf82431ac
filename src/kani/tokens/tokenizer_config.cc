// tokenizer_config.cc - three members of tokenizer_config.json, read in passing.  The file repeats
// all added tokens (3 MB with LFM2's custom tokens), so no document is built of it: a document took
// three times as long.
#include "kani/base/error.h"
#include "kani/base/json.h"
#include "kani/tokens/tokenizer_file.h"

namespace kani {
namespace {

/// Watches for members of the outermost object, and for the content of a bos_token that is an
/// object.
class Skimmer : public nlohmann::json_sax<Json> {
 public:
  explicit Skimmer(TokenizerConfig& out) : out_(out) {}

  bool null() override { return accept("null"); }
  bool boolean(bool value) override {
    if (place() == Place::kAddBos) out_.add_bos_token = value;
    return accept("a boolean");
  }
  bool number_integer(number_integer_t) override { return accept("a number"); }
  bool number_unsigned(number_unsigned_t) override { return accept("a number"); }
  bool number_float(number_float_t, const string_t&) override { return accept("a number"); }
  bool string(string_t& value) override {
    if (place() == Place::kBos || place() == Place::kBosContent) out_.bos_token = value;
    if (place() == Place::kClass) out_.tokenizer_class = value;
    return accept("a string");
  }
  bool binary(binary_t&) override { return accept("binary data"); }  // never in a text
  bool start_object(size_t) override {
    const bool good = accept("an object");
    ++depth_;
    return good;
  }
  bool key(string_t& name) override {
    if (depth_ == 1) outer_key_ = name;
    if (depth_ == 2) inner_key_ = name;
    return true;
  }
  bool end_object() override { return leave(); }
  bool start_array(size_t) override {
    const bool good = accept("an array");
    ++depth_;
    return good;
  }
  bool end_array() override { return leave(); }
  bool parse_error(size_t at, const std::string&, const nlohmann::detail::exception&) override {
    problem_ = concat("not acceptable JSON at offset ", at);
    return false;
  }

  const std::string& problem() const { return problem_; }

 private:
  enum class Place { kDocument, kAddBos, kBos, kBosContent, kClass, kElsewhere };

  Place place() const {
    if (depth_ == 0) return Place::kDocument;
    if (depth_ == 2 && outer_key_ == "bos_token" && inner_key_ == "content")
      return Place::kBosContent;
    if (depth_ > 1) return Place::kElsewhere;
    if (outer_key_ == "add_bos_token") return Place::kAddBos;
    if (outer_key_ == "bos_token") return Place::kBos;
    return outer_key_ == "tokenizer_class" ? Place::kClass : Place::kElsewhere;
  }

  /// False, with a message, if a value of this kind must not stand here.
  bool accept(std::string_view kind) {
    const auto refuse_unless = [&](bool good, std::string_view name, std::string_view rule) {
      if (!good) problem_ = concat(name, " is ", kind, ", must be ", rule);
      return good;
    };
    const bool text = kind == "a string";
    const bool absent = kind == "null";
    switch (place()) {
      case Place::kDocument:
        return refuse_unless(kind == "an object", "the document", "an object");
      case Place::kAddBos:
        return refuse_unless(absent || kind == "a boolean", "add_bos_token", "true or false");
      case Place::kBos:
        return refuse_unless(absent || text || kind == "an object", "bos_token",
                             "a string or an object");
      case Place::kBosContent:
        return refuse_unless(text, "bos_token.content", "a string");
      case Place::kClass:
        return refuse_unless(absent || text, "tokenizer_class", "a string");
      case Place::kElsewhere:
        break;
    }
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }

  TokenizerConfig& out_;
  size_t depth_ = 0;
  std::string outer_key_, inner_key_;
  std::string problem_;
};

}  // namespace

TokenizerConfig read_tokenizer_config(std::string_view json, std::string_view source) {
  TokenizerConfig out;
  if (json.empty()) return out;
  if (json.size() > kMaxTokenizerBytes) {
    throw Error(ErrorCode::kBadInput, source, " has ", json.size(), " bytes, at most ",
                kMaxTokenizerBytes, " are read");
  }
  Skimmer skimmer(out);
  if (!Json::sax_parse(json, &skimmer))
    throw Error(ErrorCode::kBadInput, source, ": ", skimmer.problem());
  return out;
}

}  // namespace kani
