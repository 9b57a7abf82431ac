// voice_npy.cc - .npy: a mark, a version, and a Python dictionary as text, of which exactly this
// form is understood, with its keys in any order and white space at its end:
//   {'descr': '<f4', 'fortran_order': False, 'shape': (128,), }
// Nothing is evaluated: an expression is a syntax error here.
// Source: NumPy's published description of the format.
#include <optional>
#include <utility>

#include "kani/formats/bytes.h"
#include "kani/formats/tensor_file.h"
#include "kani/formats/voice_parts.h"

namespace kani {
namespace {

constexpr size_t kMarkBytes = 8;  // "\x93NUMPY", major, minor
constexpr size_t kMaxHeader = 4096;

constexpr std::pair<std::string_view, DType> kTypes[] = {
    {"<f4", DType::kF32}, {"<f8", DType::kF64}, {"<f2", DType::kF16}};

struct NpyHeader {
  std::optional<DType> dtype;
  std::optional<bool> fortran_order;
  std::optional<std::vector<uint64_t>> shape;
};

// Reads the dictionary, token by token.
class HeaderText {
 public:
  HeaderText(std::string_view text, const std::string& where) : rest_(text), where_(where) {}

  NpyHeader read() {
    NpyHeader header;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !header.dtype) {
        header.dtype = type();
      } else if (key == "fortran_order" && !header.fortran_order) {
        header.fortran_order = truth();
      } else if (key == "shape" && !header.shape) {
        header.shape = tuple();
      } else {
        refuse(where_, ".npy header key \"", printable(key, 40), "\" is unknown or occurs twice");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!rest_.empty()) fail("its end");
    return header;
  }

 private:
  [[noreturn]] void fail(std::string_view expected) const {
    refuse(where_, ".npy header: \"", printable(rest_.substr(0, 20)), "\" where ", expected,
           " is due");
  }
  void skip_space() {
    const size_t first = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
  }
  bool accept(char c) {
    skip_space();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(concat("\"", c, "\""));
  }
  std::string_view quoted() {
    skip_space();
    const char quote = rest_.empty() ? '\0' : rest_.front();
    const size_t end = rest_.find(quote, 1);
    if ((quote != '\'' && quote != '"') || end == std::string_view::npos) fail("a quoted name");
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }
  DType type() {
    skip_space();
    if (!rest_.starts_with('\'') && !rest_.starts_with('"')) fail("a quoted type");
    const std::string_view text = quoted();
    for (const auto& [name, dtype] : kTypes) {
      if (text == name) return dtype;
    }
    refuse(where_, ".npy type \"", printable(text, 40),
           "\" is not supported, must be '<f4', '<f8' or '<f2'");
  }
  bool truth() {
    skip_space();
    for (const std::string_view word : {"False", "True"}) {
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return word == "True";
    }
    fail("True or False");
  }
  std::vector<uint64_t> tuple() {
    std::vector<uint64_t> sizes;
    expect('(');
    while (!accept(')')) {
      sizes.push_back(number());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }
  uint64_t number() {
    skip_space();
    uint64_t value = 0;
    size_t digits = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
      if (digits == 9) fail("a size of at most 9 digits");
      value = value * 10 + static_cast<uint64_t>(rest_[digits] - '0');
    }
    if (digits == 0) fail("a size");
    rest_.remove_prefix(digits);
    return value;
  }

  std::string_view rest_;
  const std::string& where_;
};

// The header's text, and where the numbers begin.
std::pair<std::string_view, size_t> header_text(std::span<const std::byte> bytes,
                                                const std::string& where) {
  if (bytes.size() < kMarkBytes + 4) refuse(where, ".npy file of ", bytes.size(), " bytes");
  const auto major = static_cast<unsigned>(bytes[6]);
  if (major < 1 || major > 3 || bytes[7] != std::byte{0}) {
    refuse(where, ".npy version ", major, ".", static_cast<unsigned>(bytes[7]),
           " is not supported, must be 1.0, 2.0 or 3.0");
  }
  const size_t begin = kMarkBytes + (major == 1 ? 2 : 4);
  const size_t length =
      major == 1 ? load<uint16_t>(bytes, kMarkBytes) : load<uint32_t>(bytes, kMarkBytes);
  if (length > kMaxHeader || length > bytes.size() - begin) {
    refuse(where, ".npy header of ", length, " bytes, at most ", kMaxHeader,
           " are accepted and the file has ", bytes.size() - begin, " left");
  }
  return {text_of(bytes.subspan(begin, length)), begin + length};
}

}  // namespace

VoiceFile parse_voice_npy(std::span<const std::byte> bytes, const std::string& where) {
  const auto [text, data_at] = header_text(bytes, where);
  NpyHeader header = HeaderText(text, where).read();
  if (!header.dtype || !header.fortran_order || !header.shape) {
    refuse(where, ".npy header lacks one of descr, fortran_order, shape");
  }
  if (*header.fortran_order) refuse(where, ".npy array in Fortran order is not supported");
  const size_t length = voice_length(*header.shape, 2, where);
  const std::span<const std::byte> data = bytes.subspan(data_at);
  if (data.size() != length * dtype_size(*header.dtype)) {
    refuse(where, ".npy shape ", shape_text(*header.shape), " ", dtype_name(*header.dtype),
           " needs ", length * dtype_size(*header.dtype), " bytes, the file has ", data.size());
  }
  VoiceFile voice;
  voice.values.resize(length);
  to_f32(*header.dtype, data, voice.values);
  voice.stored_dtype = *header.dtype;
  voice.stored_shape = *std::move(header.shape);
  voice.format = "npy";
  return voice;
}

}  // namespace kani
