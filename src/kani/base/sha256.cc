// sha256.cc - see sha256.h.
#include "kani/base/sha256.h"

#include <openssl/evp.h>

#include <vector>

#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani {
namespace {

constexpr size_t kBlockBytes = 1 << 20;

}  // namespace

struct Sha256::State {
  State() : context(EVP_MD_CTX_new()) {
    if (context == nullptr || EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1) {
      EVP_MD_CTX_free(context);
      throw Error(ErrorCode::kOutOfMemory, "cannot begin a SHA-256");
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }

  EVP_MD_CTX* context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  if (EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1) {
    throw Error(ErrorCode::kInternal, "libcrypto refused to hash ", bytes.size(), " bytes");
  }
}

Sha256::Digest Sha256::finish() {
  Digest digest{};
  unsigned int length = 0;
  auto* out = reinterpret_cast<unsigned char*>(digest.data());
  if (EVP_DigestFinal_ex(state_->context, out, &length) != 1 || length != digest.size()) {
    throw Error(ErrorCode::kInternal, "libcrypto gave no SHA-256");
  }
  return digest;
}

std::string hex_text(std::span<const std::byte> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte value : bytes) {
    text += kDigits[std::to_integer<unsigned>(value) >> 4];
    text += kDigits[std::to_integer<unsigned>(value) & 15];
  }
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hex_text(hash.finish());
}

std::string sha256_hex(const std::filesystem::path& path) {
  const InputFile file(path);
  Sha256 hash;
  std::vector<std::byte> block(kBlockBytes);
  uint64_t offset = 0;
  while (const size_t got = file.read_at(offset, block)) {
    hash.update(std::span(block).first(got));
    offset += got;
  }
  return hex_text(hash.finish());
}

}  // namespace kani
