// tar.h - picks wanted members out of a tar archive, or lists its files. Nothing is ever unpacked.
// Source: POSIX ustar and pax, GNU's long names and binary sizes; codec.md 2.1; hostile inputs:
// reliability.md 6.
// Why by hand and not libarchive: that hands out copies, block by block, and the tensors of an
// archive of 421 MB must be used where they lie in the map; and it tolerates what we have to
// refuse (doubled names, a second archive behind the first). Not a public header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/formats/byte_source.h"

namespace kani {

struct WantedMember {
  std::string_view name;   // without "./" in front
  uint64_t max_bytes = 0;  // more is refused before it is read
  // Out: as from ByteSource::keep(); nothing if there is no such member.
  std::optional<std::span<const std::byte>> bytes;
};

/// Reads the whole archive.  Members of other names are skipped, whatever their type.
/// Throws Error(kBadInput, "<where>: …") for: no tar, damaged or cut headers, sizes that leave the
/// archive, doubled or unsafe names, a wanted member that is no regular file, sparse members,
/// extended headers over 64 KiB, more than 4,096 members, missing end blocks, anything but zeros
/// behind them.
void read_tar(ByteSource& source, std::span<WantedMember> wanted, const std::string& where);

/// A regular file in an archive.
struct TarFile {
  std::string name;    // without "./" in front
  uint64_t at = 0;     // first byte of its data in the archive
  uint64_t bytes = 0;  // of its data, all of which the archive has
};

/// The regular files of an archive in their order, of which only the headers are read.  Folders,
/// links, devices and FIFOs are passed over.  Memory is that of the names, which the archive's own
/// size bounds.  Throws as read_tar(), with `most_members` in place of 4,096.
std::vector<TarFile> list_tar(ByteSource& source, size_t most_members, const std::string& where);

}  // namespace kani
