// test_files.h - builds safetensors, tar, ZIP and pickle bytes, right ones and wrong ones, for the
// tests of this folder and for the fuzz targets' seeds and mutators.  Not part of the library.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kani::test {

template <typename T>
std::string little(T value, size_t bytes = sizeof(T)) {
  std::string out;
  for (size_t i = 0; i < bytes; ++i)
    out += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
  return out;
}

inline uint32_t crc_of(std::string_view data) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

// ---- safetensors

inline std::string safetensors_file(std::string_view header, std::string_view data = {}) {
  return little(uint64_t{header.size()}) + std::string(header) + std::string(data);
}

// ---- ZIP

struct ZipEntry {
  std::string name;
  std::string data;
  uint16_t flags = 0;
  uint16_t method = 0;
  std::string central_extra{};
  // What the directory or the local header say in place of the truth.
  std::optional<uint32_t> crc{};
  std::optional<uint32_t> size{};
  std::optional<uint32_t> packed_size{};
  std::optional<uint32_t> offset{};
  std::optional<uint16_t> disk{};
  std::optional<std::string> local_name{};
  std::optional<uint16_t> local_flags{};
  std::optional<uint16_t> local_method{};
  std::optional<uint32_t> local_crc{};
  std::optional<uint32_t> local_size{};
  std::optional<uint16_t> local_extra{};
};

struct ZipTail {
  std::string comment{};
  std::string before_directory{};
  std::string before_end{};
  std::optional<uint16_t> entries{};
  std::optional<uint16_t> disk{};
  std::optional<uint32_t> directory_bytes{};
  std::optional<uint32_t> directory_offset{};
};

inline std::string zip_file(const std::vector<ZipEntry>& entries, const ZipTail& tail = {}) {
  std::string out;
  std::string directory;
  for (const ZipEntry& e : entries) {
    const bool behind = (e.flags & 8) != 0;
    const uint32_t crc = e.crc.value_or(crc_of(e.data));
    const auto size = e.size.value_or(static_cast<uint32_t>(e.data.size()));
    const uint32_t local_size = e.local_size.value_or(behind ? 0 : size);
    const std::string local_name = e.local_name.value_or(e.name);
    const auto offset = e.offset.value_or(static_cast<uint32_t>(out.size()));
    out += std::string("PK\3\4\0\0", 6) + little(e.local_flags.value_or(e.flags)) +
           little(e.local_method.value_or(e.method)) + little(0u) +
           little(e.local_crc.value_or(behind ? 0 : crc)) + little(local_size) +
           little(local_size) + little(local_name.size(), 2) + little(e.local_extra.value_or(0)) +
           local_name + e.data;
    directory += std::string("PK\1\2\0\0\0\0", 8) + little(e.flags) + little(e.method) +
                 little(0u) + little(crc) + little(e.packed_size.value_or(size)) + little(size) +
                 little(e.name.size(), 2) + little(e.central_extra.size(), 2) +
                 little(uint16_t{0}) + little(e.disk.value_or(0)) + std::string(6, '\0') +
                 little(offset) + e.name + e.central_extra;
  }
  out += tail.before_directory;
  const auto at = static_cast<uint32_t>(out.size());
  out += directory + tail.before_end;
  const uint16_t count = tail.entries.value_or(static_cast<uint16_t>(entries.size()));
  out += std::string("PK\5\6") + little(tail.disk.value_or(0)) + little(uint16_t{0}) +
         little(count) + little(count) +
         little(tail.directory_bytes.value_or(static_cast<uint32_t>(directory.size()))) +
         little(tail.directory_offset.value_or(at)) + little(tail.comment.size(), 2) + tail.comment;
  return out;
}

// ZIP64's record and locator, as torch puts them in front of every end record.
struct Zip64 {
  uint64_t entries = 0;
  uint64_t directory_bytes = 0;
  uint64_t directory_offset = 0;
  uint64_t record_offset = 0;

  std::string text() const {
    return "PK\6\6" + little(uint64_t{44}) + std::string("\x1e\x03-\0", 4) + little(uint64_t{0}) +
           little(entries) + little(entries) + little(directory_bytes) + little(directory_offset) +
           "PK\6\7" + little(0u) + little(record_offset) + little(1u);
  }
};

// ---- tar

struct TarEntry {
  std::string name;
  std::string data{};
  char type = '0';
  std::optional<std::string> size_field{};  // 12 bytes in place of the octal number
  std::string magic = std::string(
      "ustar\0"
      "00",
      8);
  std::string prefix{};
  int checksum_error = 0;
};

inline std::string octal(uint64_t value, size_t digits) {
  std::string out(digits, '0');
  for (size_t i = digits; i-- > 0; value >>= 3) out[i] = static_cast<char>('0' + (value & 7));
  return out;
}

inline std::string tar_member(const TarEntry& e) {
  std::string block(512, '\0');
  const auto set = [&](size_t at, std::string_view text) { block.replace(at, text.size(), text); };
  set(0, std::string_view(e.name).substr(0, 100));
  set(100, "0000644");
  set(124, e.size_field.value_or(octal(e.data.size(), 11) + '\0'));
  set(136, "00000000000");
  set(148, "        ");
  block[156] = e.type;
  set(257, e.magic);
  set(345, e.prefix);
  uint64_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  set(148, octal(sum + static_cast<uint64_t>(e.checksum_error), 6) + '\0');
  return block + e.data + std::string((512 - e.data.size() % 512) % 512, '\0');
}

inline std::string tar_end() { return std::string(1024, '\0'); }

inline std::string pax_record(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;  // blank, "=", end of line
  size_t length = rest + std::to_string(rest).size();
  length = rest + std::to_string(length).size();
  return std::to_string(length) + " " + std::string(key) + "=" + std::string(value) + "\n";
}

inline std::string gzip_of(std::string_view data) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, data.size()) + 32, '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// ---- pickle

inline std::string p_text(std::string_view text) {
  return "X" + little(static_cast<uint32_t>(text.size())) + std::string(text);
}
inline std::string p_int(int64_t value) {
  return value >= 0 && value < 256 ? "K" + little(static_cast<uint8_t>(value))
                                   : "J" + little(static_cast<int32_t>(value));
}
inline std::string p_global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string p_tuple(const std::vector<int64_t>& numbers) {
  std::string out = "(";
  for (const int64_t n : numbers) out += p_int(n);
  return out + "t";
}
inline std::string p_dictionary() { return p_global("collections", "OrderedDict") + ")R"; }

/// A tensor; members are the parts of its pickle that the tests replace.
struct TensorPickle {
  std::string storage_type = p_global("torch", "FloatStorage");
  std::string key = p_text("0");
  std::string location = p_text("cpu");
  std::string numel = p_int(128);
  std::string offset = p_int(0);
  std::string shape = p_tuple({128});
  std::string strides = p_tuple({1});
  std::string grad = "\x89";
  std::string hooks = p_dictionary();

  std::string text() const {
    return p_global("torch._utils", "_rebuild_tensor_v2") + "((" + p_text("storage") +
           storage_type + key + location + numel + "tQ" + offset + shape + strides + grad + hooks +
           "tR";
  }
};

inline std::string pickle_file(std::string_view body) {
  return "\x80\x02" + std::string(body) + ".";
}

/// A torch archive with one storage.
inline std::string pt_file(std::string_view pickle, std::string_view storage,
                           std::string_view byteorder = "little") {
  return zip_file({{.name = "voice/data.pkl", .data = std::string(pickle)},
                   {.name = "voice/byteorder", .data = std::string(byteorder)},
                   {.name = "voice/data/0", .data = std::string(storage)},
                   {.name = "voice/version", .data = "3\n"}});
}

}  // namespace kani::test
