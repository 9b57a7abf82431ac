// json.cc - a SAX filter that counts depth and values before the library builds anything, then
// builds the document. Why: the library writes deep documents recursively and overflows the stack
// (reliability.md 3.3).
#include "kani/base/json.h"

#include <unordered_set>
#include <vector>

#include "kani/base/error.h"
#include "kani/base/log.h"

namespace kani {
namespace {

class Filter : public nlohmann::detail::json_sax_dom_parser<Json> {
  using Base = nlohmann::detail::json_sax_dom_parser<Json>;

 public:
  Filter(Json& out, std::string_view source, const JsonLimits& limits)
      : Base(out, /*allow_exceptions=*/false), source_(source), limits_(limits) {}

  bool null() { return count() && Base::null(); }
  bool boolean(bool v) { return count() && Base::boolean(v); }
  bool number_integer(number_integer_t v) { return count() && Base::number_integer(v); }
  bool number_unsigned(number_unsigned_t v) { return count() && Base::number_unsigned(v); }
  bool number_float(number_float_t v, const string_t& s) {
    return count() && Base::number_float(v, s);
  }
  bool string(string_t& v) { return count() && Base::string(v); }
  bool start_object(size_t n) {
    keys_.emplace_back();
    return enter() && Base::start_object(n);
  }
  bool key(string_t& name) {
    if (!keys_.back().insert(name).second) {
      if (limits_.refuse_duplicates) return fail("duplicate key \"" + printable(name) + "\"");
      duplicate_ = name;
    }
    return Base::key(name);
  }
  bool end_object() {
    keys_.pop_back();
    --depth_;
    return Base::end_object();
  }
  bool start_array(size_t n) { return enter() && Base::start_array(n); }
  bool end_array() {
    --depth_;
    return Base::end_array();
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& e) {
    std::string what = e.what();  // "[json.exception.parse_error.101] parse error at line …: …"
    if (const size_t end = what.find("] "); end != std::string::npos) what.erase(0, end + 2);
    position_ = position;
    return fail(printable(what, 200));
  }

  const std::string& problem() const { return problem_; }
  size_t position() const { return position_; }
  const std::string& duplicate() const { return duplicate_; }

 private:
  bool count() {
    return ++values_ <= limits_.values || fail(concat("more than ", limits_.values, " values"));
  }
  bool enter() {
    return count() &&
           (++depth_ <= limits_.depth || fail(concat("nested deeper than ", limits_.depth)));
  }
  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  std::string_view source_;
  JsonLimits limits_;
  size_t depth_ = 0;
  size_t values_ = 0;
  size_t position_ = 0;
  std::vector<std::unordered_set<std::string>> keys_;
  std::string problem_;
  std::string duplicate_;
};

}  // namespace

Json parse_json(std::string_view text, std::string_view source, const JsonLimits& limits) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    throw Error(ErrorCode::kBadInput, source, ": JSON begins with a byte order mark (offset 0)");
  }
  Json document;
  Filter filter(document, source, limits);
  if (!Json::sax_parse(text, &filter)) {
    throw Error(ErrorCode::kBadInput, source, ": not acceptable JSON at offset ", filter.position(),
                ": ", filter.problem());
  }
  if (!filter.duplicate().empty()) {
    log_warning("json", source, ": key \"", printable(filter.duplicate()),
                "\" occurs twice, the last one counts");
  }
  return document;
}

Json try_parse_json(std::string_view text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

std::string dump_json(const Json& value, int indent, InvalidUtf8 invalid) {
  return value.dump(indent, ' ', /*ensure_ascii=*/false,
                    invalid == InvalidUtf8::kThrow ? Json::error_handler_t::strict
                                                   : Json::error_handler_t::replace);
}

}  // namespace kani
