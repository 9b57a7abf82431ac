// byte_source.cc - the three sources.  Inflating and its checksums are zlib's.
#include "kani/formats/byte_source.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "kani/base/error.h"
#include "kani/formats/bytes.h"

namespace kani {
namespace {

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::span<const std::byte> read(size_t count) override { return keep(count); }
  std::span<const std::byte> keep(uint64_t count) override {
    const size_t begin = at_;
    return bytes_.subspan(begin, skip(count));
  }
  uint64_t skip(uint64_t count) override {
    const uint64_t there = std::min<uint64_t>(count, bytes_.size() - at_);
    at_ += there;
    return there;
  }
  uint64_t position() const override { return at_; }
  std::vector<std::vector<std::byte>> take_kept() override { return {}; }

 private:
  std::span<const std::byte> bytes_;
  size_t at_ = 0;
};

class FileSource final : public ByteSource {
 public:
  explicit FileSource(const InputFile& file) : file_(file) {}

  std::span<const std::byte> read(size_t count) override {
    count = static_cast<size_t>(std::min<uint64_t>(count, file_.size() - at_));
    if (scratch_.size() < count) scratch_.resize(count);
    const size_t got = file_.read_at(at_, std::span(scratch_).first(count));
    at_ += got;
    return std::span(scratch_).first(got);
  }
  std::span<const std::byte> keep(uint64_t count) override {
    const std::span<const std::byte> bytes = read(static_cast<size_t>(count));
    return kept_.emplace_back(bytes.begin(), bytes.end());
  }
  uint64_t skip(uint64_t count) override {
    const uint64_t there = std::min(count, file_.size() - at_);
    at_ += there;
    return there;
  }
  uint64_t position() const override { return at_; }
  std::vector<std::vector<std::byte>> take_kept() override { return std::move(kept_); }

 private:
  const InputFile& file_;
  uint64_t at_ = 0;  // at most its size
  std::vector<std::byte> scratch_;
  std::vector<std::vector<std::byte>> kept_;
};

constexpr uint64_t kMaxGrowth = 100;
constexpr uint64_t kFreeGrowth = 1 << 20;
constexpr uint64_t kMaxInflated = uint64_t{4} << 30;
constexpr size_t kStep = 1 << 16;
constexpr size_t kFirstKept = 1 << 20;

class GzipSource final : public ByteSource {
 public:
  GzipSource(std::span<const std::byte> bytes, std::string where)
      : rest_(bytes),
        where_(std::move(where)),
        limit_(std::min<uint64_t>(kMaxInflated, bytes.size() * kMaxGrowth + kFreeGrowth)) {
    if (inflateInit2(&stream_, MAX_WBITS + 16) !=
        Z_OK) {  // 16: gzip alone, with its CRC and length
      throw Error(ErrorCode::kOutOfMemory, "no memory to inflate ", where_);
    }
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override { inflateEnd(&stream_); }

  std::span<const std::byte> read(size_t count) override {
    if (scratch_.size() < count) scratch_.resize(count);
    return std::span(scratch_).first(inflate_into(std::span(scratch_).first(count)));
  }
  std::span<const std::byte> keep(uint64_t count) override {
    // Grows with what really comes: `count` is a claim of the archive.
    std::vector<std::byte> kept;
    size_t filled = 0;
    while (filled < count && filled == kept.size()) {
      kept.resize(static_cast<size_t>(
          std::min<uint64_t>(count, std::max<uint64_t>(kFirstKept, 2 * filled))));
      filled += inflate_into(std::span(kept).subspan(filled));
    }
    kept.resize(filled);
    kept_.push_back(std::move(kept));
    return kept_.back();
  }
  uint64_t skip(uint64_t count) override {
    uint64_t done = 0;
    while (done < count) {
      const size_t step = static_cast<size_t>(std::min<uint64_t>(kStep, count - done));
      const size_t got = read(step).size();
      done += got;
      if (got < step) break;
    }
    return done;
  }
  uint64_t position() const override { return position_; }
  std::vector<std::vector<std::byte>> take_kept() override { return std::move(kept_); }

 private:
  size_t inflate_into(std::span<std::byte> out);
  void give_input();
  void next_member();

  std::span<const std::byte> rest_;  // not yet given to zlib
  std::string where_;
  uint64_t limit_;
  z_stream stream_{};
  bool ended_ = false;
  uint64_t position_ = 0;
  std::vector<std::byte> scratch_;
  std::vector<std::vector<std::byte>> kept_;
};

// zlib counts in 32 bits.
void GzipSource::give_input() {
  const size_t count = std::min<size_t>(rest_.size(), std::numeric_limits<uInt>::max());
  stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(rest_.data()));
  stream_.avail_in = static_cast<uInt>(count);
  rest_ = rest_.subspan(count);
}

void GzipSource::next_member() {
  if (stream_.avail_in == 0) give_input();
  if (stream_.avail_in == 0) {
    ended_ = true;
  } else {
    inflateReset(&stream_);
  }
}

size_t GzipSource::inflate_into(std::span<std::byte> out) {
  size_t done = 0;
  while (done < out.size() && !ended_) {
    if (stream_.avail_in == 0) give_input();
    const auto room =
        static_cast<uInt>(std::min<size_t>(out.size() - done, std::numeric_limits<uInt>::max()));
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    stream_.avail_out = room;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    const size_t got = room - stream_.avail_out;
    done += got;
    position_ += got;
    if (position_ > limit_) {
      refuse(where_, "gzip stream grows to more than ", limit_, " bytes, not unpacked");
    }
    if (result == Z_STREAM_END) {
      next_member();
    } else if (result == Z_BUF_ERROR) {
      refuse(where_, "gzip stream ends in the middle");
    } else if (result != Z_OK) {
      refuse(where_, "gzip stream is damaged near unpacked offset ", position_, ": ",
             stream_.msg != nullptr ? stream_.msg : "no reason given");
    }
  }
  return done;
}

}  // namespace

std::unique_ptr<ByteSource> memory_source(std::span<const std::byte> bytes) {
  return std::make_unique<MemorySource>(bytes);
}

std::unique_ptr<ByteSource> file_source(const InputFile& file) {
  return std::make_unique<FileSource>(file);
}

bool looks_like_gzip(std::span<const std::byte> bytes) noexcept {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1F} && bytes[1] == std::byte{0x8B};
}

std::unique_ptr<ByteSource> gzip_source(std::span<const std::byte> bytes, std::string where) {
  return std::make_unique<GzipSource>(bytes, std::move(where));
}

}  // namespace kani
