// torch_write.cc - the pickle and the ZIP of torch.save.
#include "kani/formats/torch_write.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "kani/base/error.h"
#include "kani/formats/bytes.h"
#include "kani/formats/tensor_write.h"

namespace kani {
namespace {

constexpr size_t kAlignment = 64;         // of every member's data, from the ZIP's start
constexpr uint64_t kMaxZip = 0xFFFFFFFF;  // without ZIP64
constexpr size_t kMaxMembers = 65534;
constexpr uint64_t kMaxInt = 0x7FFFFFFF;              // of BININT
constexpr std::string_view kPaddingMark = "FB";       // torch's own id for this extra field
constexpr std::string_view kUtf8Flag("\x00\x08", 2);  // general purpose bit 11: names are UTF-8

template <typename T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}
void put16(std::string& out, size_t value) { put(out, static_cast<uint16_t>(value)); }
void put32(std::string& out, uint64_t value) { put(out, static_cast<uint32_t>(value)); }

// ---- pickle: opcodes as their characters, see pickle_machine.cc for their names

void put_text(std::string& out, std::string_view text) {
  out += 'X';
  put32(out, text.size());
  out += text;
}

void put_int(std::string& out, uint64_t value) {
  if (value < 0x100) {
    out += 'K';
    put(out, static_cast<uint8_t>(value));
  } else if (value < 0x10000) {
    out += 'M';
    put16(out, value);
  } else {
    out += 'J';  // signed 32 bits, kMaxInt at most
    put32(out, value);
  }
}

void put_tuple(std::string& out, std::span<const uint64_t> numbers) {
  constexpr char kEnds[] = {')', '\x85', '\x86', '\x87'};
  if (numbers.size() > 3) out += '(';
  for (const uint64_t number : numbers) put_int(out, number);
  out += numbers.size() > 3 ? 't' : kEnds[numbers.size()];
}

std::vector<uint64_t> row_major_strides(std::span<const uint64_t> shape) {
  std::vector<uint64_t> strides(shape.size());
  uint64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<uint64_t>(shape[i], 1);
  }
  return strides;
}

// First use: the GLOBAL, memorized under `slot`; later: BINGET.  Python's pickler does the same.
class Names {
 public:
  explicit Names(std::string& out) : out_(out) {}
  void put_name(char slot, std::string_view module, std::string_view name) {
    if (begin(slot)) out_ += concat('c', module, '\n', name, '\n', 'q', slot);
  }
  void put_word(char slot, std::string_view text) {
    if (!begin(slot)) return;
    put_text(out_, text);
    out_ += concat('q', slot);
  }

 private:
  bool begin(char slot) {
    const uint32_t bit = 1u << slot;
    if ((used_ & bit) != 0) out_ += concat('h', slot);
    return (std::exchange(used_, used_ | bit) & bit) == 0;
  }
  std::string& out_;
  uint32_t used_ = 0;
};

struct Storage {
  DType dtype;
  char slot;  // of the memo
  std::string_view name;
};
constexpr Storage kStorages[] = {{DType::kF32, 3, "FloatStorage"},
                                 {DType::kI32, 4, "IntStorage"},
                                 {DType::kF16, 6, "HalfStorage"}};

const Storage* storage_of(DType dtype) {
  const auto* found = std::ranges::find(kStorages, dtype, &Storage::dtype);
  return found == std::end(kStorages) ? nullptr : found;
}

void put_tensor(std::string& out, Names& names, const TensorToWrite& tensor, size_t key) {
  const Storage& storage = *storage_of(tensor.dtype);
  const uint64_t elements = tensor.bytes.size() / dtype_size(tensor.dtype);
  names.put_name(1, "torch._utils", "_rebuild_tensor_v2");
  out += "((";
  names.put_word(2, "storage");
  names.put_name(storage.slot, "torch", storage.name);
  put_text(out, std::to_string(key));
  names.put_word(5, "cpu");
  put_int(out, elements);
  out += "tQ";
  put_int(out, 0);
  put_tuple(out, tensor.shape);
  put_tuple(out, row_major_strides(tensor.shape));
  out += '\x89';
  names.put_name(0, "collections", "OrderedDict");
  out += ")RtR";
}

uint32_t crc_of(std::span<const std::byte> data) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

}  // namespace

std::string pickle_of(std::span<const TensorToWrite> tensors) {
  constexpr size_t kBatch = 1000;  // entries on the stack at once, as Python's pickler
  std::string out = "\x80\x02";
  Names names(out);
  names.put_name(0, "collections", "OrderedDict");
  out += ")R";
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (i % kBatch == 0) out += '(';
    put_text(out, tensors[i].name);
    put_tensor(out, names, tensors[i], i);
    if (i % kBatch == kBatch - 1 || i + 1 == tensors.size()) out += 'u';
  }
  out += '.';
  return out;
}

std::string pickle_of(const TensorToWrite& tensor) {
  std::string out = "\x80\x02";
  Names names(out);
  put_tensor(out, names, tensor, 0);
  out += '.';
  return out;
}

TorchWriter::TorchWriter(std::span<const TensorToWrite> tensors, std::string_view root,
                         Content content)
    : root_(concat(root, "/")) {
  check_tensors_to_write(tensors);
  require(content == Content::kDictionary || tensors.size() == 1, tensors.size(),
          " tensors without a dictionary, must be one");
  require(tensors.size() + 3 <= kMaxMembers, tensors.size(), " tensors, at most ", kMaxMembers - 3);
  uint64_t total = 0;
  for (const TensorToWrite& tensor : tensors) {
    require(storage_of(tensor.dtype) != nullptr, "tensor \"", tensor.name, "\" is ",
            dtype_name(tensor.dtype), ", only F32, F16 and I32 are written here");
    uint64_t extent = 1;  // what the largest stride follows from, also of tensors without elements
    for (const uint64_t size : tensor.shape) extent *= std::max<uint64_t>(size, 1);
    require(extent <= kMaxInt, "tensor \"", tensor.name, "\": shape ", shape_text(tensor.shape),
            " does not fit the 32-bit numbers of the pickle");
    total += tensor.bytes.size();
    require(total < kMaxZip, "tensors of 4 GiB and more need ZIP64, which is not written");
  }
  pickle_ = content == Content::kTensor ? pickle_of(tensors.front()) : pickle_of(tensors);
  add("data.pkl", bytes_of(pickle_));
  add("byteorder", bytes_of("little"));
  for (size_t i = 0; i < tensors.size(); ++i) add(concat("data/", i), tensors[i].bytes);
  add("version", bytes_of("3\n"));
  const uint64_t directory_at = size_;
  const size_t directory_bytes = directory_.size();
  directory_ += "PK\5\6";
  put32(directory_, 0);  // disks
  put16(directory_, members_.size());
  put16(directory_, members_.size());
  put32(directory_, directory_bytes);
  put32(directory_, directory_at);
  put16(directory_, 0);  // comment
  size_ += directory_.size();
  require(size_ < kMaxZip, "a checkpoint of 4 GiB and more needs ZIP64, which is not written");
}

// Layouts: zip.cc.
void TorchWriter::add(std::string_view name, std::span<const std::byte> data) {
  const std::string full = root_ + std::string(name);
  std::string common;  // what local header and directory entry share: flags … lengths of name and
                       // extra field
  common += kUtf8Flag;
  put16(common, 0);  // stored
  put32(common, 0);  // time and date: none, so that the same model gives the same bytes
  put32(common, crc_of(data));
  put32(common, data.size());
  put32(common, data.size());
  put16(common, full.size());

  std::string header("PK\3\4\0\0", 6);
  header += common;
  const size_t unpadded = header.size() + 2 + full.size() + 4;
  const size_t padding = (kAlignment - (size_ + unpadded) % kAlignment) % kAlignment;
  put16(header, padding + 4);
  header += full;
  header += kPaddingMark;
  put16(header, padding);
  header.append(padding, 'Z');

  directory_.append("PK\1\2\0\0\0\0", 8);
  directory_ += common;
  directory_.append(12, '\0');  // extra, comment, disk, attributes
  put32(directory_, size_);
  directory_ += full;

  size_ += header.size() + data.size();
  members_.push_back({std::move(header), data});
}

void TorchWriter::write(const std::function<void(std::span<const std::byte>)>& sink) const {
  for (const Member& member : members_) {
    sink(bytes_of(member.header));
    sink(member.data);
  }
  sink(bytes_of(directory_));
}

}  // namespace kani
