// hello.cc - speaks one sentence into hello.wav with the C++ library.
//   g++ -std=c++20 hello.cc $(pkg-config --cflags --libs kani) && ./a.out "Good morning." [MODEL]
#include <iostream>
#include <span>

#include "kani/kani.h"

int main(int argc, char** argv) try {
  kani::EngineOptions options;
  if (argc > 2)
    options.model = argv[2];  // empty: $KANI_MODEL, or the model installed with the program
  kani::Engine engine(options);

  kani::SpeechRequest request;
  request.text = argc > 1 ? argv[1] : "Hello, I am Kani.";

  kani::SoundWriterOptions format;
  format.input_rate_hz = engine.sample_rate_hz();
  const auto file = kani::open_sound_file("hello.wav", format);
  // Samples come as soon as they are made, a few at a time: a program could play them here.
  const auto sink = [&](std::span<const float> samples) {
    file->write(samples);
    return true;  // false would stop
  };
  const kani::SpeechResult result = engine.speak(request, sink);
  file->finish();
  std::cout << "hello.wav: " << result.sound_s << " s of sound in " << result.elapsed_s << " s\n";
} catch (const kani::Error& error) {
  std::cerr << "hello: " << error.what() << "\n";
  return kani::exit_status(error.code());
}
