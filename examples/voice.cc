// voice.cc - makes a voice out of recordings of one speaker and writes it to voice.safetensors.
//   g++ -std=c++20 voice.cc $(pkg-config --cflags --libs kani) -o voice && ./voice a.wav b.flac
#include "kani/voice.h"

#include <filesystem>
#include <iostream>
#include <vector>

int main(int argc, char** argv) try {
  const std::vector<std::filesystem::path> recordings(argv + 1, argv + argc);
  kani::VoiceEncoder encoder({});  // of the default model's set, or in the hub's cache
  kani::ClonedVoice cloned = encoder.clone(recordings);
  for (const kani::RecordingReport& recording : cloned.recordings) {
    std::cout << recording.file << ": " << recording.seconds << " s, " << recording.rate_hz
              << " Hz\n";
    for (const std::string& warning : recording.warnings) std::cout << "  " << warning << "\n";
  }
  for (const std::string& warning : cloned.warnings) std::cout << warning << "\n";

  cloned.voice.name = "example";
  cloned.voice.details["consent"] = "my own voice";  // say how the speaker agreed
  kani::save_voice(cloned.voice, "voice.safetensors");
} catch (const kani::Error& error) {
  std::cerr << "voice: " << error.what() << "\n";
  return kani::exit_status(error.code());
}
