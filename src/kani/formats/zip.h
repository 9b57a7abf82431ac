// zip.h - reading ZIP archives as torch.save writes them: stored members, one directory.
// Source: the published format description (APPNOTE); what bites: codec.md 2.3; hostile inputs:
// reliability.md 6.
// Not here: inflating (torch never compresses; a compressed member is refused), archives that need
// ZIP64 (4 GiB and more), writing (torch_write.h), anything on disk.
// Why by hand: a mapped file's tensors are used in place, and libraries that unpack do not tell
// where a member's bytes lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kani {

struct ZipLimits {
  size_t members = 65534;
  uint64_t total_bytes = UINT64_MAX;  // of all members
};

/// As the central directory describes it.
struct ZipMember {
  std::string_view name;  // points into the archive; passed member_name_problem()
  uint64_t size = 0;      // bytes
  uint32_t crc = 0;
  uint16_t flags = 0;
  uint64_t header = 0;  // offset of its local header
  uint64_t limit = 0;   // offset of what comes next: a local header, or the directory
};

/// Immutable; views the bytes that it is given.
class ZipReader {
 public:
  /// Reads the central directory alone.  Throws Error(kBadInput, "<where>: …") for: no, two or
  /// inconsistent end records, ZIP64, several disks, encrypted or compressed members, members that
  /// overlap or leave the archive, names that are doubled or unsafe, more than `limits` allow.
  ZipReader(std::span<const std::byte> archive, std::string where, const ZipLimits& limits = {});

  /// In the directory's order.
  const std::vector<ZipMember>& members() const { return members_; }
  /// nullptr if there is none of this name.
  const ZipMember* find(std::string_view name) const;
  /// The member's bytes inside the archive, after comparing its local header with the directory.
  /// Throws Error(kBadInput) where they differ.
  std::span<const std::byte> bytes(const ZipMember& member) const;
  /// bytes(), and their CRC-32.  Throws Error(kBadInput) where it differs from the directory's.
  std::span<const std::byte> checked_bytes(const ZipMember& member) const;
  /// For messages.
  const std::string& where() const { return where_; }

 private:
  size_t read_entry(std::span<const std::byte> up_to_end, size_t at);
  void check_overlaps(uint64_t directory_offset);
  void sort_names();

  std::span<const std::byte> archive_;
  std::string where_;
  std::vector<ZipMember> members_;
  std::vector<uint32_t> by_name_;  // positions in members_
};

/// Offset of the end record if `bytes` end as a ZIP archive does.
std::optional<size_t> find_zip_end(std::span<const std::byte> bytes) noexcept;

}  // namespace kani
