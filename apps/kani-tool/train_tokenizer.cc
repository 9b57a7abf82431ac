// train_tokenizer.cc - `kani-tool train-tokenizer`: a byte-level BPE tokenizer from texts, for
// models that are trained from nothing.
#include <fstream>
#include <iostream>
#include <memory>

#include "kani/base/error.h"
#include "kani/base/json.h"
#include "kani/base/log.h"
#include "kani/tokens/bpe_training.h"
#include "kani/tokens/tokenizer.h"
#include "tokenizer_files.h"
#include "tool.h"

namespace kani::tool {
namespace {

struct Flags {
  std::vector<std::filesystem::path> texts;
  int entries = 400;
  std::filesystem::path out;
};

// Lines of a file, without the carriage returns that some have.
template <typename Each>
void each_line(const std::filesystem::path& file, const Each& each) {
  std::ifstream lines(file, std::ios::binary);
  if (!lines) throw Error(ErrorCode::kNotFound, "cannot read ", file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) each(line);
  }
}

void run(const Flags& flags) {
  const size_t least = kSpecialEntries + kByteEntries;
  require(flags.entries >= static_cast<int>(least), "--entries is ", flags.entries, ", must be ",
          least, " (special tokens and bytes) or more");
  PieceCounts pieces(SplitRule::kLlama3);
  for (const auto& file : flags.texts)
    each_line(file, [&](const std::string& line) { pieces.add(line); });
  if (pieces.counts().empty()) throw Error(ErrorCode::kBadInput, "the texts are empty");
  const auto merges = train_merges(pieces, static_cast<size_t>(flags.entries) - least);

  std::error_code error;
  std::filesystem::create_directories(flags.out, error);
  if (error) throw Error(ErrorCode::kCannotWrite, "cannot make ", flags.out, ": ", error.message());
  const size_t entries = write_tokenizer(flags.out, kSpecialEntries, merges);
  if (entries < static_cast<size_t>(flags.entries)) {
    log_warning("tokenizer", "the texts give ", entries, " entries instead of ", flags.entries,
                ": no other pair of neighbours occurs twice");
  }
  // What it does to the very texts, read back as every program will.
  const Tokenizer tokenizer = Tokenizer::load(flags.out);
  int64_t texts = 0, bytes = 0, ids = 0;
  for (const auto& file : flags.texts) {
    each_line(file, [&](const std::string& line) {
      ++texts;
      bytes += static_cast<int64_t>(line.size());
      ids += static_cast<int64_t>(tokenizer.encode(line, AddedTokens::kPlainText).size()) - 1;
    });
  }
  std::cout << dump_json(
                   Json({{"entries", entries},
                         {"merges", merges.size()},
                         {"texts", texts},
                         {"bytes_per_id", static_cast<double>(bytes) / static_cast<double>(ids)}}))
            << '\n';
}

}  // namespace

void add_train_tokenizer(CLI::App& app, Action& action) {
  Command command(app, "train-tokenizer", "a byte-level BPE tokenizer.json from texts");
  auto flags = std::make_shared<Flags>();
  command.need("--texts", flags->texts,
               "files, a text a line as the model will get it (with its language tag, if any)");
  command.take("--entries", flags->entries,
               "size of the vocabulary: 3 special tokens, 256 bytes, merges [400]");
  command.need("-o,--out", flags->out, "folder to write");
  command.runs(action, [flags] { run(*flags); });
}

}  // namespace kani::tool
