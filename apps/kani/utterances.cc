// utterances.cc - see utterances.h.
#include "apps/kani/utterances.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "apps/kani/flags.h"
#include "apps/kani/text_reader.h"
#include "kani/base/json.h"
#include "kani/base/log.h"
#include "kani/base/utf8.h"

namespace kani::cli {
namespace {

bool is_blank(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    const bool space = point.value <= 0x20 || point.value == 0x85 || point.value == 0xA0 ||
                       point.value == 0x1680 || (point.value >= 0x2000 && point.value <= 0x200A) ||
                       point.value == 0x2028 || point.value == 0x2029 || point.value == 0x202F ||
                       point.value == 0x205F || point.value == 0x3000 || point.value == 0xFEFF;
    if (!space) return false;
    text.remove_prefix(point.length);
  }
  return true;
}

bool is_markdown_file(const std::string& path) {
  return path.ends_with(".md") || path.ends_with(".markdown");
}

bool strips(Markdown rule, const std::string& path) {
  return rule == Markdown::kStrip || (rule == Markdown::kAuto && is_markdown_file(path));
}

/// The arguments, or line by line of them with --lines.
class ArgumentSource : public UtteranceSource {
 public:
  explicit ArgumentSource(const SayOptions& options)
      : strip_(options.markdown_rule() == Markdown::kStrip) {
    std::string text;
    for (const std::string& word : options.text) text += (text.empty() ? "" : " ") + word;
    if (const auto invalid = find_invalid_utf8(text)) {
      throw Error(ErrorCode::kBadInput, "the text arguments: invalid UTF-8 at offset ", *invalid);
    }
    if (is_blank(text))
      throw Error(ErrorCode::kBadInput,
                  "the text arguments are blank, expected something to speak");
    if (!options.lines) {
      texts_.push_back(std::move(text));
      return;
    }
    size_t begin = 0;
    while (begin < text.size()) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      std::string line = text.substr(begin, end - begin);
      if (!is_blank(line)) texts_.push_back(std::move(line));
      begin = end + 1;
    }
  }

  std::optional<Utterance> next() override {
    if (index_ == texts_.size()) return std::nullopt;
    Utterance utterance;
    utterance.text = texts_[index_++];
    utterance.source = "the text arguments";
    utterance.strip_markdown = strip_;
    return utterance;
  }

 private:
  bool strip_;
  std::vector<std::string> texts_;
  size_t index_ = 0;
};

/// Each file is one text, read before anything is loaded, so that bad input is told at once.
class WholeFileSource : public UtteranceSource {
 public:
  WholeFileSource(const std::vector<std::string>& paths, Markdown rule) {
    for (const std::string& path : paths) {
      TextReader reader(path);
      Utterance utterance;
      utterance.text = reader.read_all();
      utterance.source = reader.name();
      utterance.strip_markdown = strips(rule, path);
      if (is_blank(utterance.text)) {
        throw Error(ErrorCode::kBadInput, reader.name(), ": the text is ",
                    utterance.text.empty() ? "empty" : "blank", ", expected something to speak");
      }
      texts_.push_back(std::move(utterance));
    }
  }

  std::optional<Utterance> next() override {
    if (index_ == texts_.size()) return std::nullopt;
    return std::move(texts_[index_++]);
  }

 private:
  std::vector<Utterance> texts_;
  size_t index_ = 0;
};

class LineSource : public UtteranceSource {
 public:
  LineSource(const std::vector<std::string>& paths, Markdown rule, bool json)
      : paths_(paths), rule_(rule), json_(json) {
    for (const std::string& path : paths) readers_.push_back(std::make_unique<TextReader>(path));
  }

  std::optional<Utterance> next() override {
    for (; file_ < readers_.size(); ++file_) {
      TextReader& reader = *readers_[file_];
      while (std::optional<std::string> line = reader.read_line()) {
        if (is_blank(*line)) continue;
        any_ = true;
        return make(std::move(*line), reader);
      }
    }
    if (any_) return std::nullopt;
    throw Error(ErrorCode::kBadInput, readers_.back()->name(),
                ": only blank lines, expected something to speak");
  }

 private:
  Utterance make(std::string line, const TextReader& reader) const {
    const std::string source = concat(reader.name(), ": line ", reader.line_number());
    Utterance utterance;
    if (json_) {
      utterance = parse_json_utterance(line, source);
    } else {
      utterance.text = std::move(line);
      utterance.source = source;
    }
    utterance.strip_markdown = strips(rule_, paths_[file_]);
    return utterance;
  }

  std::vector<std::string> paths_;
  std::vector<std::unique_ptr<TextReader>> readers_;
  Markdown rule_;
  bool json_;
  size_t file_ = 0;
  bool any_ = false;
};

std::string string_field(const Json& value, const std::string& source, const std::string& key) {
  if (!value.is_string())
    throw Error(ErrorCode::kBadInput, source, ": ", printable(key), " is not a string");
  return value.get<std::string>();
}

/// `speaker_id` of Piper may be a number.
std::string voice_field(const Json& value, const std::string& source, const std::string& key) {
  if (value.is_number_integer()) return dump_json(value);
  return string_field(value, source, key);
}

double speed_field(const Json& value, const std::string& source) {
  const double speed = value.is_number() ? value.get<double>() : 0;
  if (!(speed >= 0.25 && speed <= 4)) {
    throw Error(ErrorCode::kBadInput, source, ": speed is ", printable(dump_json(value)),
                ", expected a number from 0.25 to 4");
  }
  return speed;
}

std::optional<uint64_t> seed_field(const Json& value, const std::string& source) {
  const auto seed = value.is_number_integer() ? parse_seed(dump_json(value)) : std::nullopt;
  if (!seed) {
    throw Error(ErrorCode::kBadInput, source, ": seed is ", printable(dump_json(value)),
                ", expected a whole number from 0, or -1");
  }
  return *seed;
}

}  // namespace

Utterance parse_json_utterance(std::string_view line, const std::string& source) {
  const Json object =
      parse_json(line, source, {.depth = 8, .values = 1000, .refuse_duplicates = true});
  if (!object.is_object())
    throw Error(ErrorCode::kBadInput, source, ": expected a JSON object with text");
  Utterance utterance;
  utterance.source = source;
  for (const auto& [key, value] : object.items()) {
    if (key == "text") {
      utterance.text = string_field(value, source, key);
    } else if (key == "voice" || key == "speaker" || key == "speaker_id") {
      if (utterance.voice)
        throw Error(ErrorCode::kBadInput, source, ": more than one of voice, speaker, speaker_id");
      utterance.voice = voice_field(value, source, key);
    } else if (key == "output_file") {
      utterance.output_file = string_field(value, source, key);
    } else if (key == "language") {
      utterance.language = string_field(value, source, key);
    } else if (key == "speed") {
      utterance.speed = speed_field(value, source);
    } else if (key == "seed") {
      utterance.seed = seed_field(value, source);
    } else {
      log_warning("say", source, ": unknown key ", printable(key));
    }
  }
  if (is_blank(utterance.text))
    throw Error(ErrorCode::kBadInput, source, ": text is missing or blank");
  return utterance;
}

std::unique_ptr<UtteranceSource> open_utterances(const SayOptions& options) {
  if (!options.text.empty()) return std::make_unique<ArgumentSource>(options);
  std::vector<std::string> paths = options.input_files;
  if (paths.empty()) paths.push_back("-");
  const Markdown rule = options.markdown_rule();
  if (options.lines || options.json_input)
    return std::make_unique<LineSource>(paths, rule, options.json_input);
  return std::make_unique<WholeFileSource>(paths, rule);
}

}  // namespace kani::cli
