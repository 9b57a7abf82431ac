// voice.cc - `kani-tool voice`: what a voice file holds, as JSON.
#include <cmath>
#include <iostream>

#include "kani/formats/voice_file.h"
#include "model.h"
#include "tool.h"

namespace kani::tool {
namespace {

void run(const std::filesystem::path& path) {
  const VoiceFile voice = read_voice_file(path);
  double squares = 0;
  for (const float value : voice.values)
    squares += static_cast<double>(value) * static_cast<double>(value);
  const Json json{{"shape", voice.stored_shape}, {"dtype", dtype_name(voice.stored_dtype)},
                  {"format", voice.format},      {"norm", std::sqrt(squares)},
                  {"values", voice.values},      {"metadata", voice.metadata}};
  std::cout << json.dump() << '\n';
}

}  // namespace

void add_voice(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("voice", "prints a voice file as JSON");
  auto path = std::make_shared<std::filesystem::path>();
  command->add_option("file", *path, "voice file (.pt, .safetensors, .npy, .json)")->required();
  command->callback([path, &action] { action = [path] { run(*path); }; });
}

}  // namespace kani::tool
