// main.cc - kani-data: sets of clips for the trainer.  Exit statuses and messages:
// interfaces.md 1.3.
#include <cstdio>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "kani/base/error.h"
#include "kani/base/log.h"
#include "kani/dataset/build_command.h"
#include "kani/dataset/set_files.h"
#include "kani/formats/token_shard.h"
#include "signals.h"
#if defined(KANI_ARROW)
#include "kani/dataset/arrow_commands.h"
#endif

namespace {

constexpr const char* kUsage =
    "kani-data: sets of clips for the trainer\n\n"
    "usage: kani-data COMMAND ...\n\n"
    "  build …          recordings and their texts to shards, with a report\n"
    "  report SET       the report of a finished set once more\n"
    "  prepare …        encoded sets (Parquet, Hugging Face) to what the trainer reads\n"
    "  convert …        shards to Parquet and back, prepared sets to shards\n"
    "  show SHARD...    what a shard holds\n"
    "  verify SHARD...  compare shards or sets with their hashes; every clip of a shard is read\n\n"
    "kani-data COMMAND --help says more.\n";

int fail(int status, const std::string& message, const std::string& hint = "") {
  std::fprintf(stderr, "kani-data: error: %s\n", message.c_str());
  if (!hint.empty()) std::fprintf(stderr, "hint: %s\n", hint.c_str());
  return status;
}

void show(const kani::TokenShard& shard) {
  double seconds = 0;
  uint64_t frames = 0, ids = 0, voices = 0;
  for (size_t i = 0; i < shard.clips(); ++i) {
    seconds += shard.duration_s(i);
    frames += shard.frames(i);
    ids += shard.text_length(i);
    voices += shard.has_voice(i) ? 1 : 0;
  }
  std::printf(
      "%s: %zu clips, %.1f s, %llu frames of %d codes below %d, %llu text ids, %llu with a voice "
      "of %d\n",
      shard.path().c_str(), shard.clips(), seconds, static_cast<unsigned long long>(frames),
      shard.info().codebooks, shard.info().codebook_size, static_cast<unsigned long long>(ids),
      static_cast<unsigned long long>(voices), shard.info().voice_dim);
}

int look(bool verify, std::span<const std::string> files) {
  if (files.empty()) return fail(2, "no shard is named", "kani-data --help lists the commands");
  for (const std::string& file : files) {
    if (verify && std::filesystem::is_directory(file)) {
      std::printf("%s: whole, %zu files\n", file.c_str(), kani::verify_set(file));
      continue;
    }
    const kani::TokenShard shard{std::filesystem::path(file)};
    if (verify) {
      shard.verify();
      for (size_t i = 0; i < shard.clips(); ++i) shard.clip(i);
      std::printf("%s: whole, %zu clips\n", file.c_str(), shard.clips());
    } else {
      show(shard);
    }
  }
  return 0;
}

int run(const std::vector<std::string>& args) {
  if (args.empty() || args[0] == "--help" || args[0] == "-h") {
    std::fputs(kUsage, args.empty() ? stderr : stdout);
    return args.empty() ? 2 : 0;
  }
  const std::span<const std::string> rest = std::span(args).subspan(1);
  if (args[0] == "show" || args[0] == "verify") {
    if (!rest.empty() && rest[0] == "--help") return std::fputs(kUsage, stdout), 0;
    return look(args[0] == "verify", rest);
  }
  if (args[0] == "build") {
    kani::catch_signals();
    return kani::run_build(rest, kani::signal_token(), std::cout), 0;
  }
  if (args[0] == "report") return kani::run_report(rest, std::cout), 0;
  if (args[0] == "prepare" || args[0] == "convert") {
#if defined(KANI_ARROW)
    return args[0] == "prepare" ? kani::run_prepare(rest, std::cout, std::cerr)
                                : kani::run_convert(rest, std::cout, std::cerr);
#else
    return fail(kani::exit_status(kani::ErrorCode::kUnsupported),
                args[0] + ": this program was built without Arrow",
                "run tools/arrow.sh, then configure and build again");
#endif
  }
  return fail(2, "no command \"" + args[0] + "\"", "kani-data --help lists the commands");
}

}  // namespace

int main(int argc, char** argv) {
  kani::set_log_sink(
      [](kani::LogLevel, std::string_view, std::string_view message) {
        std::fprintf(stderr, "kani-data: warning: %.*s\n", static_cast<int>(message.size()),
                     message.data());
      },
      kani::LogLevel::kWarning);
  try {
    return run({argv + 1, argv + argc});
  } catch (const kani::Error& error) {
    const bool interrupted = error.code() == kani::ErrorCode::kCancelled;
    const bool usage = error.code() == kani::ErrorCode::kInvalidArgument && error.hint().empty();
    return fail(interrupted ? kani::signal_status() : kani::exit_status(error.code()), error.what(),
                usage ? "kani-data COMMAND --help lists the flags" : error.hint());
  } catch (const std::bad_alloc&) {
    return fail(kani::exit_status(kani::ErrorCode::kOutOfMemory), "out of memory");
  } catch (const std::exception& error) {
    return fail(1, error.what());
  }
}
