// event_file.cc - see event_file.h.
#include "kani/train/event_file.h"

#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>

#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani::train {
namespace {

constexpr std::array<uint32_t, 256> kTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0x82F63B78u : 0);
    table[i] = value;
  }
  return table;
}();

template <typename T>
void put_fixed(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// A field of protobuf: number and wire type, then its content.
enum WireType : uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
void put_key(std::string& out, uint64_t field, WireType type) {
  put_varint(out, field << 3 | type);
}

void put_bytes(std::string& out, uint64_t field, const std::string& bytes) {
  put_key(out, field, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

std::string event_head(int64_t step) {
  using namespace std::chrono;
  std::string out;
  put_key(out, 1, kFixed64);
  put_fixed(out, std::bit_cast<uint64_t>(
                     duration<double>(system_clock::now().time_since_epoch()).count()));
  put_key(out, 2, kVarint);
  put_varint(out, static_cast<uint64_t>(step));
  return out;
}

uint32_t masked(std::span<const std::byte> bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

uint32_t crc32c(std::span<const std::byte> bytes) {
  uint32_t sum = 0xFFFFFFFFu;
  for (const std::byte b : bytes)
    sum = (sum >> 8) ^ kTable[(sum ^ static_cast<uint32_t>(b)) & 0xFF];
  return ~sum;
}

EventFile::EventFile(const std::filesystem::path& folder) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  const auto path = folder / concat("events.out.tfevents.", seconds, ".", getpid(), ".kani");
  file_.open(path, std::ios::binary);
  if (!file_) throw_cannot_write(path, errno);
  std::string version = event_head(0);
  put_bytes(version, 3, "brain.Event:2");
  record(version);
}

void EventFile::write(int64_t step, const std::map<std::string, double>& values) {
  std::string summary;
  for (const auto& [name, value] : values) {
    std::string one;
    put_bytes(one, 1, name);
    put_key(one, 2, kFixed32);
    put_fixed(one, std::bit_cast<uint32_t>(static_cast<float>(value)));
    put_bytes(summary, 1, one);
  }
  std::string event = event_head(step);
  put_bytes(event, 5, summary);
  record(event);
}

void EventFile::record(const std::string& event) {
  std::string length, out;
  put_fixed(length, static_cast<uint64_t>(event.size()));
  out = length;
  put_fixed(out, masked(bytes_of(length)));
  out += event;
  put_fixed(out, masked(bytes_of(event)));
  file_ << out << std::flush;
  file_.clear();
}

}  // namespace kani::train
