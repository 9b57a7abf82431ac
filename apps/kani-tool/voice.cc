// voice.cc - `kani-tool voice`: what a voice file holds, as JSON.
#include <cmath>
#include <iostream>

#include "kani/base/error.h"
#include "kani/formats/voice_file.h"
#include "model.h"
#include "tool.h"

namespace kani::tool {
namespace {

void run(const std::filesystem::path& path, size_t length) {
  const VoiceFile voice = read_voice_file(path);
  if (length != 0 && voice.values.size() != length) {
    throw Error(ErrorCode::kBadInput, path, ": voice has ", voice.values.size(),
                " numbers, expected ", length)
        .with_hint("it was made by another speaker encoder; --length 0 shows it all the same");
  }
  double squares = 0;
  for (const float value : voice.values) {
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  const Json json{{"shape", voice.stored_shape}, {"dtype", dtype_name(voice.stored_dtype)},
                  {"format", voice.format},      {"norm", std::sqrt(squares)},
                  {"values", voice.values},      {"metadata", voice.metadata}};
  std::cout << dump_json(json) << '\n';
}

}  // namespace

void add_voice(CLI::App& app, Action& action) {
  Command command(app, "voice", "prints a voice file as JSON");
  auto path = std::make_shared<std::filesystem::path>();
  auto length = std::make_shared<size_t>(128);
  command.need("file", *path, "voice file (.pt, .safetensors, .npy, .json)");
  command.take("--length", *length, "numbers that the voice must have, 0 = any; 128 if not given");
  command.runs(action, [path, length] { run(*path, *length); });
}

}  // namespace kani::tool
