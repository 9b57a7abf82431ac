// nemo_write.cc - a .nemo as NeMo's save_to writes it: a plain ustar archive of the configuration
// and the checkpoint. Times are zero, so that the same model gives the same bytes.
#include <array>
#include <cstring>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/utf8.h"
#include "kani/formats/bytes.h"
#include "kani/formats/nemo.h"
#include "kani/formats/nemo_names.h"
#include "kani/formats/torch_write.h"

namespace kani {
namespace {

constexpr size_t kBlock = 512;
constexpr size_t kRecord = 20 * kBlock;  // archives are padded to this
constexpr uint64_t kMaxConfig = 1 << 20;

using Block = std::array<char, kBlock>;

void put_octal(Block& block, size_t at, size_t digits, uint64_t value) {
  for (size_t i = digits; i-- > 0; value >>= 3) {
    block[at + i] = static_cast<char>('0' + (value & 7));
  }
}

// Layout: tar.cc.
Block tar_header(std::string_view name, char type, uint64_t size) {
  Block block{};
  name.copy(block.data(), 100);
  put_octal(block, 100, 7, type == '5' ? 0755 : 0644);
  put_octal(block, 108, 7, 0);  // user and group: root
  put_octal(block, 116, 7, 0);
  put_octal(block, 124, 11, size);
  put_octal(block, 136, 11, 0);  // time
  std::memset(block.data() + 148, ' ', 8);
  block[156] = type;
  std::memcpy(block.data() + 257,
              "ustar\0"
              "00",
              8);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put_octal(block, 148, 6, sum);
  block[154] = '\0';
  return block;
}

// Counts what it writes, for the padding.
class TarFile {
 public:
  explicit TarFile(const std::filesystem::path& path) : file_(path) {}

  void write(std::span<const std::byte> bytes) {
    file_.write(bytes);
    written_ += bytes.size();
  }
  void write_header(std::string_view name, char type, uint64_t size) {
    const Block header = tar_header(name, type, size);
    write(std::as_bytes(std::span(header)));
  }
  void pad_to(size_t multiple) {
    const std::string zeros((multiple - written_ % multiple) % multiple, '\0');
    write(bytes_of(zeros));
  }
  void finish() {
    write(bytes_of(std::string(2 * kBlock, '\0')));
    pad_to(kRecord);
    file_.commit();
  }

 private:
  AtomicFile file_;
  uint64_t written_ = 0;
};

}  // namespace

void write_nemo(const std::filesystem::path& path, std::string_view config_yaml,
                std::span<const TensorToWrite> tensors) {
  require(config_yaml.size() <= kMaxConfig, "configuration of ", config_yaml.size(),
          " bytes, at most ", kMaxConfig);
  require(!find_invalid_utf8(config_yaml) && config_yaml.find('\0') == std::string_view::npos,
          "configuration is not UTF-8 text");
  const TorchWriter weights(tensors, "model_weights");
  TarFile file(path);
  file.write_header("./", '5', 0);
  file.write_header(concat("./", kNemoConfig), '0', config_yaml.size());
  file.write(bytes_of(config_yaml));
  file.pad_to(kBlock);
  file.write_header(concat("./", kNemoWeights), '0', weights.size());
  weights.write([&](std::span<const std::byte> bytes) { file.write(bytes); });
  file.pad_to(kBlock);
  file.finish();
}

}  // namespace kani
