// tokenizer_features.cc - see the header.  Where a part has no influence on ids (decoder's flags,
// trim_offsets, pairs of texts) it is accepted; where it has, only the values of language-model.md
// 3 are.
#include "kani/tokens/tokenizer_features.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "kani/base/error.h"
#include "kani/base/log.h"

namespace kani {
namespace {

/// One object of the document with its place in it, for messages.
class Node {
 public:
  Node(const Json& value, std::string path, std::string_view source)
      : value_(value), path_(std::move(path)), source_(source) {}

  const Json& value() const { return value_; }
  bool is_null() const { return value_.is_null(); }

  /// The member; null if there is none.
  Node at(const char* name) const {
    static const Json kAbsent;
    if (!value_.is_object()) refuse("an object");
    const auto member = value_.find(name);
    const Json& found = member == value_.end() ? kAbsent : *member;
    return Node(found, path_.empty() ? name : concat(path_, ".", name), source_);
  }
  Node item(size_t index) const {
    return Node(value_[index], concat(path_, "[", index, "]"), source_);
  }

  const std::string& text() const {
    if (!value_.is_string()) refuse("a string");
    return value_.get_ref<const std::string&>();
  }
  /// Number of elements.
  size_t array() const {
    if (!value_.is_array()) refuse("an array");
    return value_.size();
  }
  bool flag(bool fallback) const {
    if (is_null()) return fallback;
    if (!value_.is_boolean()) refuse("true or false");
    return value_.get<bool>();
  }
  void must_be(const Json& wanted) const {
    if (value_ != wanted) refuse(dump_json(wanted));
  }
  void must_be_absent_or(const Json& wanted) const {
    if (!is_null()) must_be(wanted);
  }
  void knows_only(std::initializer_list<std::string_view> names) const {
    if (!value_.is_object()) refuse("an object");
    for (const auto& [name, member] : value_.items()) {
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        throw Error(ErrorCode::kBadInput, source_, ": ", path_, path_.empty() ? "" : ".",
                    printable(name), " is not a known member");
      }
    }
  }
  [[noreturn]] void refuse(std::string_view rule) const {
    throw Error(ErrorCode::kBadInput, source_, ": ", path_.empty() ? "the document" : path_, " is ",
                printable(dump_json(value_)), ", only ", printable(rule, 200), " is supported");
  }

 private:
  const Json& value_;
  std::string path_;
  std::string_view source_;
};

void read_model(const Node& model, TokenizerFile& out) {
  model.at("type").must_be("BPE");
  model.knows_only({"type", "dropout", "unk_token", "continuing_subword_prefix",
                    "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab",
                    "merges"});
  model.at("dropout").must_be_absent_or(0);
  model.at("unk_token").must_be(nullptr);
  model.at("continuing_subword_prefix").must_be_absent_or("");
  model.at("end_of_word_suffix").must_be_absent_or("");
  model.at("fuse_unk").flag(false);  // without an unk token it has no effect
  model.at("byte_fallback").must_be_absent_or(false);
  out.ignore_merges = model.at("ignore_merges").flag(false);
  // The reader leaves null where it has taken a list out; anything else was no list.
  if (const Node vocabulary = model.at("vocab"); !vocabulary.is_null())
    vocabulary.refuse("an object of tokens and ids");
  if (const Node merges = model.at("merges"); !merges.is_null())
    merges.refuse("an array of merges");
}

/// True if the ByteLevel node splits by GPT-2's rule itself.
bool read_byte_level(const Node& node) {
  node.knows_only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  node.at("type").must_be("ByteLevel");
  node.at("add_prefix_space").must_be(false);
  return node.at("use_regex").flag(true);
}

SplitRule read_pre_tokenizer(const Node& node) {
  if (node.at("type").value() == "ByteLevel") {
    if (!read_byte_level(node)) node.refuse("ByteLevel with use_regex, or Split and ByteLevel,");
    return SplitRule::kGpt2;
  }
  node.knows_only({"type", "pretokenizers"});
  node.at("type").must_be("Sequence");
  const Node steps = node.at("pretokenizers");
  if (steps.array() != 2) steps.refuse("Split followed by ByteLevel");
  const Node split = steps.item(0);
  split.knows_only({"type", "pattern", "behavior", "invert"});
  split.at("type").must_be("Split");
  split.at("pattern").must_be(Json::object({{"Regex", kLlama3Pattern}}));
  split.at("behavior").must_be("Isolated");
  split.at("invert").must_be(false);
  const Node bytes = steps.item(1);
  if (read_byte_level(bytes)) bytes.at("use_regex").refuse("false");
  return SplitRule::kLlama3;
}

/// Appends the ids that a special token of the template stands for.
void append_special(const Node& table, const std::string& name, std::vector<int32_t>& out) {
  const Node special = table.at(name.c_str());
  if (special.is_null()) special.refuse("an entry for each special token of the template");
  const Node ids = special.at("ids");
  for (size_t i = 0; i < ids.array(); ++i) {
    const Node id = ids.item(i);
    if (!id.value().is_number_unsigned() || id.value().get<uint64_t>() >= uint64_t{kMaxTokenIds}) {
      id.refuse(concat("an id below ", kMaxTokenIds));
    }
    out.push_back(id.value().get<int32_t>());
  }
}

TokenizerFile::Template read_template(const Node& node) {
  constexpr size_t kMostParts = 16;
  const Node parts = node.at("single");
  if (parts.array() > kMostParts)
    parts.refuse(concat("a template of at most ", kMostParts, " parts"));
  TokenizerFile::Template out;
  bool seen_text = false;
  for (size_t i = 0; i < parts.array(); ++i) {
    const Node part = parts.item(i);
    part.knows_only({"SpecialToken", "Sequence"});
    const Node special = part.at("SpecialToken");
    if (!special.is_null()) {
      append_special(node.at("special_tokens"), special.at("id").text(),
                     seen_text ? out.after : out.before);
    } else {
      part.at("Sequence").at("id").must_be("A");
      if (seen_text) parts.refuse("a template with one $A");
      seen_text = true;
    }
  }
  if (!seen_text) parts.refuse("a template with one $A");
  return out;
}

void read_post_processor(const Node& node, TokenizerFile& out) {
  if (node.is_null()) return;
  const std::string& type = node.at("type").text();
  if (type == "ByteLevel") return;  // moves offsets, not ids
  if (type == "Sequence") {
    const Node steps = node.at("processors");
    for (size_t i = 0; i < steps.array(); ++i) {
      const Node step = steps.item(i);
      if (step.at("type").value() == "Sequence")
        step.at("type").refuse("ByteLevel or TemplateProcessing");
      read_post_processor(step, out);
    }
    return;
  }
  if (type != "TemplateProcessing")
    node.at("type").refuse("ByteLevel, TemplateProcessing or Sequence");
  if (out.single) node.refuse("one TemplateProcessing");
  out.single = read_template(node);
}

}  // namespace

void read_features(const Json& document, std::string_view source, TokenizerFile& out) {
  const Node root(document, "", source);
  root.knows_only({"version", "truncation", "padding", "added_tokens", "normalizer",
                   "pre_tokenizer", "post_processor", "decoder", "model"});
  root.at("version").must_be("1.0");
  root.at("normalizer").must_be(nullptr);
  if (const Node added = root.at("added_tokens"); !added.is_null())
    added.refuse("an array of tokens");
  for (const char* name : {"truncation", "padding"}) {
    // Left behind by the last call that used it; upstream resets both at every call.
    if (!root.at(name).is_null()) log_warning("tokens", source, ": ", name, " is set, ignored");
  }
  read_model(root.at("model"), out);
  out.split = read_pre_tokenizer(root.at("pre_tokenizer"));
  read_post_processor(root.at("post_processor"), out);
  if (const Node decoder = root.at("decoder"); !decoder.is_null())
    decoder.at("type").must_be("ByteLevel");
}

}  // namespace kani
