// tokenizer_file.cc - reads tokenizer.json in one pass.  The three long lists (vocabulary, merges,
// added tokens) go straight into flat arrays; only the small rest becomes a document.  Measured
// with 80,538 entries (7.7 MB): 46 ms this way, 146 ms and 40 MB for a document of everything.
#include "kani/tokens/tokenizer_file.h"

#include <set>

#include "kani/base/error.h"
#include "kani/base/json.h"
#include "kani/tokens/tokenizer_features.h"

namespace kani {
namespace {

/// The library's builder of documents, with the long lists taken out of the stream of events.
class Reader : public nlohmann::detail::json_sax_dom_parser<Json> {
  using Base = nlohmann::detail::json_sax_dom_parser<Json>;

 public:
  Reader(Json& rest, TokenizerFile& out) : Base(rest, /*allow_exceptions=*/false), out_(out) {}

  bool null() { return list_ == List::kNone ? count() && Base::null() : unexpected("null"); }
  bool boolean(bool value) {
    if (list_ == List::kNone) return count() && Base::boolean(value);
    if (list_ != List::kAddedToken) return unexpected("a boolean");
    return added_flag(value);
  }
  bool number_integer(number_integer_t value) {
    return list_ == List::kNone ? count() && Base::number_integer(value)
                                : unexpected(std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) {
    if (list_ == List::kNone) return count() && Base::number_unsigned(value);
    if (list_ != List::kVocabulary && !(list_ == List::kAddedToken && key_ == "id")) {
      return unexpected(std::to_string(value));
    }
    if (value >= uint64_t{kMaxTokenIds})
      return fail("has the id ", value, ", must be below ", kMaxTokenIds);
    const auto id = static_cast<int32_t>(value);
    if (list_ == List::kVocabulary) {
      out_.vocabulary.push_back({text_, id});
    } else {
      out_.added.back().id = id;
      return first_time(kId);
    }
    return true;
  }
  bool number_float(number_float_t value, const string_t& text) {
    return list_ == List::kNone ? count() && Base::number_float(value, text) : unexpected(text);
  }
  bool string(string_t& value);
  bool start_object(size_t count_hint);
  bool key(string_t& name);
  bool end_object();
  bool start_array(size_t count_hint);
  bool end_array();
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& e) {
    std::string what = e.what();  // "[json.exception.parse_error.101] parse error at line …: …"
    if (const size_t end = what.find("] "); end != std::string::npos) what.erase(0, end + 2);
    problem_ = concat("not acceptable JSON at offset ", position, ": ", printable(what, 200));
    return false;
  }

  const std::string& problem() const { return problem_; }

 private:
  enum class List { kNone, kVocabulary, kMerges, kMergePair, kAdded, kAddedToken };
  enum : unsigned { kId = 1, kContent = 2 };

  template <typename... Parts>
  bool fail(const Parts&... parts) {
    problem_ = concat(place(), " ", parts...);
    return false;
  }
  bool unexpected(std::string_view what) {
    return fail("has ", printable(what), " in a place where it makes no sense");
  }
  std::string place() const;
  bool count() { return ++values_ <= 100'000 || fail("has more than 100000 values"); }
  bool enter() { return ++depth_ <= 16 || fail("is nested deeper than 16"); }
  TokenizerFile::Text store(std::string_view text) {
    const TokenizerFile::Text part{static_cast<uint32_t>(out_.texts.size()),
                                   static_cast<uint32_t>(text.size())};
    out_.texts.append(text);
    return part;
  }
  /// A piece of a vocabulary entry or merge: not empty, not too long.
  bool acceptable(std::string_view text) {
    if (text.empty()) return fail("has an empty text");
    return text.size() <= kMaxTokenBytes ||
           fail("has a text of ", text.size(), " bytes, at most ", kMaxTokenBytes);
  }
  bool add_merge(std::string_view left, std::string_view right) {
    if (out_.merges.size() == kMaxMerges) return fail("has more than ", kMaxMerges, " entries");
    if (!acceptable(left) || !acceptable(right)) return false;
    out_.merges.push_back({store(left), store(right)});
    return true;
  }
  bool first_time(unsigned field) {
    const bool again = (seen_fields_ & field) != 0;
    seen_fields_ |= field;
    return !again || fail("has the key \"", key_, "\" twice");
  }
  bool added_flag(bool value);
  bool end_added();

  TokenizerFile& out_;
  List list_ = List::kNone;
  size_t values_ = 0;
  size_t depth_ = 0;
  std::vector<std::set<std::string>> keys_;  // of the objects that become a document
  std::string outer_key_, key_;              // the last keys at depth 1 and below
  TokenizerFile::Text text_;                 // of the vocabulary entry whose id comes next
  std::vector<std::string> pair_;            // parts of a merge written as an array
  unsigned seen_fields_ = 0;                 // of the added token that is being read
  std::string problem_;
};

std::string Reader::place() const {
  switch (list_) {
    case List::kNone:
      return outer_key_.empty() ? "the document" : outer_key_;
    case List::kVocabulary:
      return concat("model.vocab[\"", printable(out_.text(text_), 40), "\"]");
    case List::kMerges:
    case List::kMergePair:
      return concat("model.merges[", out_.merges.size(), "]");
    case List::kAdded:
    case List::kAddedToken:
      break;
  }
  return concat("added_tokens[", out_.added.empty() ? 0 : out_.added.size() - 1, "]");
}

bool Reader::string(string_t& value) {
  switch (list_) {
    case List::kNone:
      return count() && Base::string(value);
    case List::kMerges: {  // "left right"; the symbols hold no blank
      const size_t blank = value.find(' ');
      if (blank == std::string::npos || value.find(' ', blank + 1) != std::string::npos) {
        return fail("is ", printable(value), ", must be two parts with one blank between");
      }
      return add_merge(std::string_view(value).substr(0, blank),
                       std::string_view(value).substr(blank + 1));
    }
    case List::kMergePair:
      if (pair_.size() == 2) return fail("has more than two parts");
      pair_.push_back(value);
      return true;
    case List::kAddedToken:
      if (key_ != "content") return unexpected(value);
      if (value.empty()) return fail("has an empty content");
      if (value.size() > kMaxAddedTokenBytes)
        return fail("has a content of more than ", kMaxAddedTokenBytes, " bytes");
      out_.added.back().content = value;
      return first_time(kContent);
    case List::kVocabulary:
    case List::kAdded:
      break;
  }
  return unexpected(value);
}

bool Reader::start_object(size_t count_hint) {
  if (list_ == List::kAdded) {
    if (out_.added.size() == static_cast<size_t>(kMaxTokenIds)) return fail("is one of too many");
    out_.added.emplace_back();
    seen_fields_ = 0;
    list_ = List::kAddedToken;
    return true;
  }
  if (list_ != List::kNone) return unexpected("an object");
  if (depth_ == 2 && outer_key_ == "model" && key_ == "vocab") {
    list_ = List::kVocabulary;
    return Base::null();  // keeps the member's place in the document
  }
  keys_.emplace_back();
  return count() && enter() && Base::start_object(count_hint);
}

bool Reader::key(string_t& name) {
  if (list_ == List::kVocabulary) {
    text_ = {};
    if (!acceptable(name)) return false;
    if (out_.vocabulary.size() == static_cast<size_t>(kMaxTokenIds))
      return fail("is one entry too many");
    text_ = store(name);
    return true;
  }
  key_ = name;
  if (list_ == List::kAddedToken) return true;
  if (!keys_.back().insert(name).second) return fail("has the key \"", printable(name), "\" twice");
  if (depth_ == 1) outer_key_ = name;
  return Base::key(name);
}

bool Reader::end_object() {
  if (list_ == List::kVocabulary) {
    list_ = List::kNone;
    return true;
  }
  if (list_ == List::kAddedToken) return end_added();
  keys_.pop_back();
  --depth_;
  return Base::end_object();
}

bool Reader::start_array(size_t count_hint) {
  if (list_ == List::kMerges) {
    pair_.clear();
    list_ = List::kMergePair;
    return true;
  }
  if (list_ != List::kNone) return unexpected("an array");
  if (depth_ == 2 && outer_key_ == "model" && key_ == "merges") {
    list_ = List::kMerges;
    return Base::null();
  }
  if (depth_ == 1 && outer_key_ == "added_tokens") {
    list_ = List::kAdded;
    return Base::null();
  }
  return count() && enter() && Base::start_array(count_hint);
}

bool Reader::end_array() {
  if (list_ == List::kMergePair) {
    if (pair_.size() != 2) return fail("has ", pair_.size(), " parts, must be two");
    list_ = List::kMerges;
    return add_merge(pair_[0], pair_[1]);
  }
  if (list_ != List::kNone) {  // kMerges or kAdded
    list_ = List::kNone;
    return true;
  }
  --depth_;
  return Base::end_array();
}

bool Reader::added_flag(bool value) {
  if (key_ == "normalized") {
    out_.added.back().normalized = value;
  } else if (key_ == "lstrip" || key_ == "rstrip" || key_ == "single_word") {
    if (value) return fail("has ", key_, " true, only false is supported");
  } else if (key_ != "special") {
    return unexpected(key_);
  }
  return true;
}

bool Reader::end_added() {
  if (seen_fields_ != (kId | kContent)) return fail("lacks id or content");
  list_ = List::kAdded;
  return true;
}

}  // namespace

TokenizerFile read_tokenizer_file(std::string_view json, std::string_view source) {
  if (json.size() > kMaxTokenizerBytes) {
    throw Error(ErrorCode::kBadInput, source, " has ", json.size(), " bytes, at most ",
                kMaxTokenizerBytes, " are read");
  }
  if (json.starts_with("\xEF\xBB\xBF")) {
    throw Error(ErrorCode::kBadInput, source, ": not acceptable JSON at offset 0: byte order mark");
  }
  TokenizerFile out;
  out.texts.reserve(json.size() / 4);
  Json rest;
  Reader reader(rest, out);
  if (!Json::sax_parse(json, &reader))
    throw Error(ErrorCode::kBadInput, source, ": ", reader.problem());
  read_features(rest, source, out);
  return out;
}

}  // namespace kani
