// zip.cc - the end record, the central directory, local headers on demand.
// Local headers are read for wanted members only: those of the others lie between hundreds of
// megabytes that must stay on disk.  Offsets of the fields:
//   end record    0 PK\5\6  4 disk  6 directory's disk  8, 10 entries  12 directory's bytes
//                 16 directory's offset  20 comment's bytes
//   entry         0 PK\1\2  8 flags  10 method  16 CRC  20 packed size  24 size
//                 28, 30, 32 bytes of name, extra field, comment  34 disk  42 local header
//   local header  0 PK\3\4  6 flags  8 method  14 CRC  18 packed size  22 size
//                 26, 28 bytes of name, extra field
#include "kani/formats/zip.h"

#include <zlib.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "kani/formats/bytes.h"
#include "kani/formats/member_name.h"

namespace kani {
namespace {

constexpr size_t kEndBytes = 22;
constexpr size_t kEntryBytes = 46;
constexpr size_t kLocalBytes = 30;
constexpr size_t kMaxComment = 0xFFFF;
constexpr std::string_view kEndMark("PK\5\6", 4);
constexpr size_t kZip64RecordBytes = 56;
constexpr size_t kZip64LocatorBytes = 20;
constexpr std::string_view kZip64RecordMark("PK\6\6", 4);
constexpr std::string_view kZip64LocatorMark("PK\6\7", 4);
constexpr std::string_view kEntryMark("PK\1\2", 4);
constexpr std::string_view kLocalMark("PK\3\4", 4);

// Flags: encrypted, strongly encrypted, hidden headers; the local header's CRC and sizes are zero.
constexpr uint16_t kEncrypted = 1u << 0 | 1u << 6 | 1u << 13;
constexpr uint16_t kSizesBehind = 1u << 3;
constexpr uint16_t kZip64Extra = 0x0001;

bool has_mark(std::span<const std::byte> bytes, size_t at, std::string_view mark) {
  return at + mark.size() <= bytes.size() && text_of(bytes.subspan(at, mark.size())) == mark;
}

bool ends_exactly(std::span<const std::byte> archive, size_t at) {
  return at + kEndBytes <= archive.size() &&
         at + kEndBytes + load<uint16_t>(archive, at + 20) == archive.size();
}

struct EndRecord {
  size_t at = 0;  // where the directory must end
  uint64_t entries = 0;
  uint64_t directory_bytes = 0;
  uint64_t directory_offset = 0;
};

// The last mark in the file must be the record that ends it, and no earlier one may claim the same:
// otherwise two readers could see two archives.
size_t locate_end(std::span<const std::byte> archive, std::string_view where) {
  const size_t begin = archive.size() - std::min<size_t>(archive.size(), kEndBytes + kMaxComment);
  const std::string_view tail = text_of(archive.subspan(begin));
  const size_t last = tail.rfind(kEndMark);
  if (last == std::string_view::npos || !ends_exactly(archive, begin + last)) {
    refuse(where, "not a complete ZIP archive: no end record that ends at offset ", archive.size());
  }
  for (size_t other = tail.find(kEndMark); other < last; other = tail.find(kEndMark, other + 1)) {
    if (ends_exactly(archive, begin + other)) {
      refuse(where, "two ZIP end records, at offsets ", begin + other, " and ", begin + last);
    }
  }
  return begin + last;
}

// torch puts ZIP64's record and locator in front of the end record of every archive, small ones
// too.  They must say the same: nobody may see another directory by believing them.
//   record   0 PK\6\6  4 bytes that follow  16, 20 disks  24, 32 entries
//            40 directory's bytes  48 directory's offset
//   locator  0 PK\6\7  4 disk  8 offset of the record  16 disks
void pass_zip64_records(std::span<const std::byte> archive, EndRecord& end,
                        std::string_view where) {
  if (end.at < kZip64LocatorBytes) return;
  const size_t locator = end.at - kZip64LocatorBytes;
  if (!has_mark(archive, locator, kZip64LocatorMark)) return;
  const bool room = locator >= kZip64RecordBytes;
  const size_t at = room ? locator - kZip64RecordBytes : 0;
  const auto number = [&](size_t offset) { return load<uint64_t>(archive, at + offset); };
  if (!room || !has_mark(archive, at, kZip64RecordMark) || number(4) != kZip64RecordBytes - 12 ||
      load<uint64_t>(archive, locator + 8) != at || number(16) != 0 || number(24) != end.entries ||
      number(32) != end.entries || number(40) != end.directory_bytes ||
      number(48) != end.directory_offset) {
    refuse(where, "ZIP64 end records before offset ", end.at, " disagree with the end record");
  }
  end.at = at;
}

EndRecord read_end(std::span<const std::byte> archive, std::string_view where) {
  const size_t at = locate_end(archive, where);
  EndRecord end;
  end.at = at;
  end.entries = load<uint16_t>(archive, at + 10);
  end.directory_bytes = load<uint32_t>(archive, at + 12);
  end.directory_offset = load<uint32_t>(archive, at + 16);
  if (end.entries == 0xFFFF || end.directory_bytes == 0xFFFFFFFF ||
      end.directory_offset == 0xFFFFFFFF) {
    refuse(where, "ZIP64 archive (4 GiB and more), not supported");
  }
  if (load<uint16_t>(archive, at + 4) != 0 || load<uint16_t>(archive, at + 6) != 0 ||
      load<uint16_t>(archive, at + 8) != end.entries) {
    refuse(where, "ZIP archive of several disks");
  }
  pass_zip64_records(archive, end, where);
  if (end.directory_offset + end.directory_bytes != end.at) {
    refuse(where, "ZIP directory of ", end.directory_bytes, " bytes at offset ",
           end.directory_offset, " does not end at the end record at offset ", end.at);
  }
  return end;
}

bool has_zip64_extra(std::span<const std::byte> extra) {
  while (extra.size() >= 4) {
    if (load<uint16_t>(extra, 0) == kZip64Extra) return true;
    const size_t length = 4 + size_t{load<uint16_t>(extra, 2)};
    extra = extra.subspan(std::min(length, extra.size()));
  }
  return false;
}

uint32_t crc_of(std::span<const std::byte> bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

std::optional<size_t> find_zip_end(std::span<const std::byte> bytes) noexcept {
  const size_t begin = bytes.size() - std::min<size_t>(bytes.size(), kEndBytes + kMaxComment);
  const std::string_view tail = text_of(bytes.subspan(begin));
  for (size_t at = tail.find(kEndMark); at != std::string_view::npos;
       at = tail.find(kEndMark, at + 1)) {
    if (ends_exactly(bytes, begin + at)) return begin + at;
  }
  return std::nullopt;
}

ZipReader::ZipReader(std::span<const std::byte> archive, std::string where, const ZipLimits& limits)
    : archive_(archive), where_(std::move(where)) {
  const EndRecord end = read_end(archive_, where_);
  if (end.entries > limits.members) {
    refuse(where_, end.entries, " ZIP members, at most ", limits.members, " are accepted");
  }
  uint64_t total = 0;
  size_t at = end.directory_offset;
  for (size_t i = 0; i < end.entries; ++i) {
    at = read_entry(archive_.first(end.at), at);
    total += members_.back().size;
    if (total > limits.total_bytes) {
      refuse(where_, "ZIP members of more than ", limits.total_bytes, " bytes in all");
    }
  }
  if (at != end.at) {
    refuse(where_, "ZIP directory holds more than its ", end.entries, " entries, at offset ", at);
  }
  check_overlaps(end.directory_offset);
  sort_names();
}

// Reads the entry at `at`, returns the offset of the next.
size_t ZipReader::read_entry(std::span<const std::byte> up_to_end, size_t at) {
  if (up_to_end.size() - at < kEntryBytes || !has_mark(up_to_end, at, kEntryMark)) {
    refuse(where_, "no ZIP directory entry at offset ", at);
  }
  const size_t name_length = load<uint16_t>(up_to_end, at + 28);
  const size_t extra_length = load<uint16_t>(up_to_end, at + 30);
  const size_t length =
      kEntryBytes + name_length + extra_length + load<uint16_t>(up_to_end, at + 32);
  if (up_to_end.size() - at < length) {
    refuse(where_, "ZIP directory entry at offset ", at, " is cut off");
  }
  ZipMember member;
  member.name = text_of(up_to_end.subspan(at + kEntryBytes, name_length));
  if (const std::string_view problem = member_name_problem(member.name); !problem.empty()) {
    refuse(where_, "ZIP member name \"", printable(member.name), "\" ", problem);
  }
  const std::string shown = concat("ZIP member \"", printable(member.name), "\" ");
  member.flags = load<uint16_t>(up_to_end, at + 8);
  if ((member.flags & kEncrypted) != 0) refuse(where_, shown, "is encrypted");
  const auto method = load<uint16_t>(up_to_end, at + 10);
  if (method != 0) refuse(where_, shown, "is compressed (method ", method, "), must be stored");
  member.crc = load<uint32_t>(up_to_end, at + 16);
  member.size = load<uint32_t>(up_to_end, at + 24);
  member.header = load<uint32_t>(up_to_end, at + 42);
  if (member.size == 0xFFFFFFFF || member.header == 0xFFFFFFFF ||
      has_zip64_extra(up_to_end.subspan(at + kEntryBytes + name_length, extra_length))) {
    refuse(where_, shown, "needs ZIP64, not supported");
  }
  if (load<uint32_t>(up_to_end, at + 20) != member.size) {
    refuse(where_, shown, "is stored but has two sizes, ", load<uint32_t>(up_to_end, at + 20),
           " and ", member.size);
  }
  if (load<uint16_t>(up_to_end, at + 34) != 0) refuse(where_, shown, "lies on another disk");
  members_.push_back(member);
  return at + length;
}

void ZipReader::check_overlaps(uint64_t directory_offset) {
  std::vector<ZipMember*> by_offset;
  by_offset.reserve(members_.size());
  for (ZipMember& member : members_) by_offset.push_back(&member);
  std::sort(by_offset.begin(), by_offset.end(),
            [](const ZipMember* a, const ZipMember* b) { return a->header < b->header; });
  for (size_t i = 0; i < by_offset.size(); ++i) {
    ZipMember& member = *by_offset[i];
    member.limit = i + 1 < by_offset.size() ? by_offset[i + 1]->header : directory_offset;
    if (member.header + kLocalBytes + member.name.size() + member.size > member.limit) {
      refuse(where_, "ZIP member \"", printable(member.name), "\" of ", member.size,
             " bytes at offset ", member.header, " runs into offset ", member.limit,
             ", where something else begins");
    }
  }
}

void ZipReader::sort_names() {
  by_name_.resize(members_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  std::sort(by_name_.begin(), by_name_.end(),
            [this](uint32_t a, uint32_t b) { return members_[a].name < members_[b].name; });
  const auto twice = std::adjacent_find(
      by_name_.begin(), by_name_.end(),
      [this](uint32_t a, uint32_t b) { return members_[a].name == members_[b].name; });
  if (twice != by_name_.end()) {
    refuse(where_, "ZIP member \"", printable(members_[*twice].name), "\" occurs twice");
  }
}

const ZipMember* ZipReader::find(std::string_view name) const {
  const auto found =
      std::lower_bound(by_name_.begin(), by_name_.end(), name,
                       [this](uint32_t i, std::string_view n) { return members_[i].name < n; });
  return found != by_name_.end() && members_[*found].name == name ? &members_[*found] : nullptr;
}

std::span<const std::byte> ZipReader::bytes(const ZipMember& member) const {
  const auto differs = [&](std::string_view what) {
    refuse(where_, "ZIP member \"", printable(member.name), "\": local header at offset ",
           member.header, " and directory disagree on ", what);
  };
  // check_overlaps left room for a local header and the name; only the extra field is still
  // unknown.
  const std::span<const std::byte> local = archive_.subspan(member.header);
  if (!has_mark(local, 0, kLocalMark)) differs("there being a member");
  if (load<uint16_t>(local, 6) != member.flags) differs("the flags");
  if (load<uint16_t>(local, 8) != 0) differs("the compression");
  const size_t name_length = load<uint16_t>(local, 26);
  if (name_length != member.name.size() ||
      text_of(local.subspan(kLocalBytes, name_length)) != member.name) {
    differs("the name");
  }
  const auto agrees = [&](size_t at, uint64_t value) {
    const auto found = load<uint32_t>(local, at);
    return found == value || (found == 0 && (member.flags & kSizesBehind) != 0);
  };
  if (!agrees(14, member.crc)) differs("the CRC-32");
  if (!agrees(18, member.size) || !agrees(22, member.size)) differs("the size");
  const uint64_t begin =
      member.header + kLocalBytes + name_length + load<uint16_t>(local, 28);  // extra: padding
  if (begin + member.size > member.limit) {
    refuse(where_, "ZIP member \"", printable(member.name), "\" of ", member.size,
           " bytes at offset ", begin, " runs into offset ", member.limit,
           ", where something else begins");
  }
  return archive_.subspan(begin, member.size);
}

std::span<const std::byte> ZipReader::checked_bytes(const ZipMember& member) const {
  const std::span<const std::byte> data = bytes(member);
  if (const uint32_t crc = crc_of(data); crc != member.crc) {
    refuse(where_, "ZIP member \"", printable(member.name), "\" is damaged: CRC-32 ", crc,
           ", expected ", member.crc);
  }
  return data;
}

}  // namespace kani
