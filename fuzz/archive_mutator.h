// archive_mutator.h - mutations for archives with checksums, on which plain mutation dies at the
// first header: mutate one member's content and build the archive anew, or mutate bytes anywhere
// and then put the tar checksums and CRCs right.  Serves nemo_fuzz.cc, torch_optimizer_fuzz.cc
// and voice_fuzz.cc.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "kani/base/error.h"
#include "kani/formats/bytes.h"
#include "kani/formats/test_files.h"
#include "kani/formats/zip.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace kani::fuzz {

inline std::string mutated(std::string text, size_t growth = 64) {
  const size_t size = text.size();
  text.resize(size + growth);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(text.data()), size, text.size()));
  return text;
}

template <typename T>
T get(std::string_view text, size_t at) {
  T value{};
  if (at + sizeof(T) <= text.size()) std::memcpy(&value, text.data() + at, sizeof(T));
  return value;
}

// Every member's CRC as its bytes are, in the directory and, unless it is zero there, in the local
// header.
inline void repair_zip(std::string& zip) {
  const size_t end = zip.rfind("PK\5\6");
  if (end == std::string::npos) return;
  size_t at = get<uint32_t>(zip, end + 16);
  for (int i = get<uint16_t>(zip, end + 10); i > 0 && at + 46 <= zip.size(); --i) {
    const size_t header = get<uint32_t>(zip, at + 42);
    const size_t begin =
        header + 30 + get<uint16_t>(zip, header + 26) + get<uint16_t>(zip, header + 28);
    const size_t size = get<uint32_t>(zip, at + 24);
    if (begin <= zip.size() && size <= zip.size() - begin) {
      const uint32_t crc = test::crc_of(std::string_view(zip).substr(begin, size));
      std::memcpy(zip.data() + at + 16, &crc, 4);
      if (get<uint32_t>(zip, header + 14) != 0) std::memcpy(zip.data() + header + 14, &crc, 4);
    }
    at += size_t{46} + get<uint16_t>(zip, at + 28) + get<uint16_t>(zip, at + 30) +
          get<uint16_t>(zip, at + 32);
  }
}

// The checksum of every header that can be reached, and the ZIPs in its members.
inline void repair_tar(std::string& tar) {
  for (size_t at = 0; at + 512 <= tar.size() && tar[at] != '\0';) {
    std::fill_n(tar.begin() + static_cast<std::ptrdiff_t>(at) + 148, 8, ' ');
    uint64_t sum = 0;
    for (size_t i = at; i < at + 512; ++i) sum += static_cast<unsigned char>(tar[i]);
    tar.replace(at + 148, 7, test::octal(sum, 6) + '\0');
    const size_t size = std::min<size_t>(
        std::strtoull(tar.substr(at + 124, 12).c_str(), nullptr, 8), tar.size() - at - 512);
    std::string member = tar.substr(at + 512, size);
    if (member.starts_with("PK")) {
      repair_zip(member);
      tar.replace(at + 512, size, member);
    }
    at += 512 + (size + 511) / 512 * 512;
  }
}

/// One member changed and the archive built anew; an archive that our reader refuses comes back
/// mutated anywhere.
inline std::string mutate_zip(const std::string& zip, std::mt19937& random) {
  try {
    const ZipReader reader(bytes_of(zip), "zip");
    std::vector<test::ZipEntry> entries;
    for (const ZipMember& member : reader.members()) {
      entries.push_back(
          {.name = std::string(member.name), .data = std::string(text_of(reader.bytes(member)))});
    }
    if (!entries.empty()) {
      // The pickle is where the interesting decisions are: half of all mutations.
      test::ZipEntry& entry =
          random() % 2 == 0 ? entries.front() : entries[random() % entries.size()];
      entry.data = mutated(entry.data);
      return test::zip_file(entries);
    }
  } catch (const Error&) {
  }
  std::string anywhere = mutated(zip);
  repair_zip(anywhere);
  return anywhere;
}

/// Puts `text` into the fuzzer's buffer.
inline size_t give(std::string_view text, uint8_t* data, size_t max_size) {
  const size_t size = std::min(text.size(), max_size);
  std::memcpy(data, text.data(), size);
  return size;
}

/// A custom mutator for files of torch.save: members changed, the archive whole again; anything
/// else is left to the fuzzer.
inline size_t mutate_torch_file(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(reinterpret_cast<const char*>(data), size);
  if (!text.starts_with("PK") || random() % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
  if (random() % 3 == 0) {
    text = mutated(text);
    repair_zip(text);
    return give(text, data, max_size);
  }
  return give(mutate_zip(text, random), data, max_size);
}

}  // namespace kani::fuzz
