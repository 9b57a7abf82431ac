// utterances.h - the texts of one `kani say`: from arguments, files or stdin, whole, by lines or as
// JSON lines. Lines of stdin are handed on as they come, so that a program can keep `kani say
// --lines` running.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "apps/kani/say_options.h"

namespace kani::cli {

/// One text and what its JSON line says about it; absent fields are as on the command line.
struct Utterance {
  std::string text;
  std::string source;  // for messages: "stdin", "book.txt: line 3", "the arguments"
  bool strip_markdown = false;
  std::optional<std::string> voice, language, output_file;
  std::optional<double> speed;
  std::optional<uint64_t> seed;
};

class UtteranceSource {
 public:
  virtual ~UtteranceSource() = default;
  /// Nothing at the end.  Throws Error(kBadInput) for invalid UTF-8 (with the offset), bad JSON, or
  /// if nothing at all was there to speak.
  virtual std::optional<Utterance> next() = 0;
};

/// Opens all input files.  Throws Error(kNotFound, kBadInput).
std::unique_ptr<UtteranceSource> open_utterances(const SayOptions& options);

/// The fields of one JSON line.  Throws Error(kBadInput).
Utterance parse_json_utterance(std::string_view line, const std::string& source);

}  // namespace kani::cli
