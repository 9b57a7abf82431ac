// sentence_list.h - what is to be spoken and judged: plain lines, or JSON lines that say more.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kani {

struct EvalSentence {
  std::string id;    // names the files; [A-Za-z0-9][A-Za-z0-9._-]{0,99}, unlike all others
  std::string text;  // UTF-8, not blank
  std::string language;
  std::string speaker;              // who should be heard; empty = not said
  std::string voice;                // a voice's name or file; empty = as the command line says
  std::filesystem::path reference;  // a recording of the speaker; empty = none
  std::vector<std::filesystem::path>
      recordings;   // others of him, that he is known by; may be empty
  std::string set;  // group in the report; "" is "all sentences without a set"
};

/// `text` is a whole file.  A first line that begins with { makes it JSON lines with text and
/// perhaps id, language, speaker, voice, reference, recordings (a list), set; other keys are
/// refused.  References and recordings are relative to `folder`.  Blank lines are skipped.  Lines
/// without an id get their number, 0001 and so on.  Throws Error(kBadInput) with source and line:
/// not UTF-8, no text, an id that cannot be or is there twice (in any case), or nothing at all.
std::vector<EvalSentence> parse_sentences(const std::string& text, const std::string& source,
                                          const std::filesystem::path& folder);

}  // namespace kani
