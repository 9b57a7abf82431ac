// sha256.h - SHA-256 of bytes and files, through OpenSSL's libcrypto: voices record which weights
// and which recordings they come from, the server compares keys by it.
// Why a library: libcrypto uses the processor's SHA instructions (1.3 GB of weights in a second),
// is kept by people who do nothing else, and the server needs it anyway.
// Not here: passwords, signatures, random numbers.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace kani {

/// The hash of bytes that come in pieces.  One thread at a time.
class Sha256 {
 public:
  using Digest = std::array<std::byte, 32>;

  /// Throws Error(kOutOfMemory).
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::span<const std::byte> bytes);
  /// Of everything so far; only once, then the object is done with.
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Two lower-case hexadecimal digits for each byte; 64 of a digest.
std::string hex_text(std::span<const std::byte> bytes);

std::string sha256_hex(std::span<const std::byte> bytes);
/// Reads the file in blocks.  Throws Error(kNotFound, kBadInput) as InputFile does.
std::string sha256_hex(const std::filesystem::path& path);

}  // namespace kani
