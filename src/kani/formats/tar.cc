// tar.cc - headers of 512 bytes, each followed by its data, padded to 512.  Offsets of the fields:
//   0 name  100 mode  124 size  148 checksum  156 type  157 link's target  257 "ustar"  345 prefix
// Types: '0', NUL, '7' files; '5' folder; '1', '2' links; '3', '4', '6' devices and FIFOs;
// 'x', 'g' pax records for the next member and for all; 'L', 'K' GNU's long name and link target of
// the next; 'S' GNU sparse.
#include "kani/formats/tar.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "kani/base/numbers.h"
#include "kani/formats/bytes.h"
#include "kani/formats/member_name.h"

namespace kani {
namespace {

constexpr size_t kBlock = 512;
constexpr uint64_t kMaxExtended = 1 << 16;  // pax records, long names; honest ones: some hundreds
constexpr size_t kMaxMembers = 4096;        // of a model; honest archives have three
constexpr uint64_t kMaxPadding = 1 << 20;   // behind the end blocks; tar's own is below 10 KB

using Block = std::span<const std::byte>;

// What pax or GNU headers say in place of the header's own fields.
struct Overrides {
  std::optional<std::string> name;
  std::optional<uint64_t> size;
};

struct Header {
  uint64_t at = 0;  // offset in the archive
  std::string name;
  uint64_t size = 0;
  char type = '0';
};

bool is_zero(Block block) {
  return std::all_of(block.begin(), block.end(), [](std::byte b) { return b == std::byte{0}; });
}

// Text up to the first NUL.
std::string_view field(Block block, size_t at, size_t length) {
  const std::string_view text = text_of(block.subspan(at, length));
  return text.substr(0, text.find('\0'));
}

// Digits in `base`, nothing else; nothing if there are none or they do not fit 64 bits.
std::optional<uint64_t> parse_digits(std::string_view text, unsigned base) {
  if (text.empty()) return std::nullopt;
  std::optional<uint64_t> value = 0;
  for (const char c : text) {
    if (c < '0' || c >= static_cast<char>('0' + base)) return std::nullopt;
    value = checked_mul(*value, base);
    if (value) value = checked_add(*value, static_cast<uint64_t>(c - '0'));
    if (!value) return std::nullopt;
  }
  return value;
}

// Octal digits, blanks before and a blank or NUL behind; or GNU's binary form, first bit set, big
// endian.
std::optional<uint64_t> parse_number(Block block, size_t at, size_t length) {
  const auto first = static_cast<uint8_t>(block[at]);
  if ((first & 0x80) != 0) {
    if (first != 0x80) return std::nullopt;  // negative, or more than 2^88
    uint64_t value = 0;
    for (size_t i = at + 1; i < at + length; ++i) {
      if ((value >> 56) != 0) return std::nullopt;
      value = value << 8 | static_cast<uint8_t>(block[i]);
    }
    return value;
  }
  std::string_view text = field(block, at, length);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  text = text.substr(0, text.find_last_not_of(' ') + 1);
  return parse_digits(text, 8);
}

uint64_t checksum(Block block) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    const bool in_field = i >= 148 && i < 156;  // counts as blanks
    sum += in_field ? uint64_t{' '} : static_cast<uint64_t>(block[i]);
  }
  return sum;
}

class TarReader {
 public:
  TarReader(ByteSource& source, size_t most_members, const std::string& where)
      : source_(source), most_members_(most_members), where_(where) {}

  void pick(std::span<WantedMember> wanted) {
    wanted_ = wanted;
    run();
  }
  std::vector<TarFile> list() {
    run();
    return std::move(files_);
  }

 private:
  void run();
  template <typename... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    refuse(where_, parts..., " (tar header at offset ", at_, ")");
  }

  std::optional<Header> next_header();
  Header parse(Block block) const;
  std::string extended(const Header& header);
  void read_pax(const Header& header, Overrides& into);
  void read_pax_record(std::string_view record, Overrides& into) const;
  void read_long_name(const Header& header);
  void read_member(Header header);
  std::span<const std::byte> read_data(const Header& header);
  void skip_data(uint64_t size, uint64_t have);
  void check_end();

  ByteSource& source_;
  size_t most_members_;
  const std::string& where_;
  std::span<WantedMember> wanted_;
  std::vector<TarFile> files_;
  uint64_t at_ = 0;  // of the header in hand
  Overrides global_;
  Overrides next_;
  bool pending_ = false;  // an extended header waits for its member
  std::unordered_set<std::string> names_;
};

void TarReader::run() {
  while (const std::optional<Header> header = next_header()) {
    switch (header->type) {
      case 'x':
        read_pax(*header, next_);
        pending_ = true;
        break;
      case 'g':
        read_pax(*header, global_);
        break;
      case 'L':
        read_long_name(*header);
        pending_ = true;
        break;
      case 'K':
        extended(*header);
        pending_ = true;
        break;
      default:
        read_member(*header);
        next_ = {};
        pending_ = false;
    }
  }
  if (pending_) fail("extended header without a member");
}

// Nothing at the end of the archive, which check_end() has then read to its last byte.
std::optional<Header> TarReader::next_header() {
  const bool first = source_.position() == 0;
  const uint64_t at = source_.position();
  const Block block = source_.read(kBlock);
  if (first && block.size() < kBlock) refuse(where_, "not a tar archive: ", block.size(), " bytes");
  if (block.size() < kBlock) {
    refuse(where_, "tar archive is cut off at offset ", at + block.size(),
           ": its two end blocks are missing");
  }
  if (is_zero(block)) {
    if (first) refuse(where_, "not a tar archive: begins with zeros");
    check_end();
    return std::nullopt;
  }
  at_ = at;
  if (parse_number(block, 148, 8) != checksum(block)) {
    if (first) refuse(where_, "not a tar archive: no valid header at offset 0");
    fail("damaged tar archive: wrong checksum");
  }
  return parse(block);
}

Header TarReader::parse(Block block) const {
  Header header;
  header.at = at_;
  header.type = static_cast<char>(block[156]);
  const std::optional<uint64_t> size = parse_number(block, 124, 12);
  if (!size) fail("size of a tar member is not a number from 0");
  header.size = *size;
  header.name = field(block, 0, 100);
  const bool posix = text_of(block.subspan(257, 6)) == std::string_view("ustar\0", 6);
  if (const std::string_view prefix = field(block, 345, 155); posix && !prefix.empty()) {
    header.name = concat(prefix, "/", header.name);
  }
  return header;
}

void TarReader::skip_data(uint64_t size, uint64_t have) {
  const uint64_t padding = (kBlock - size % kBlock) % kBlock;
  if (have < size || source_.skip(padding) < padding) {
    fail("tar member of ", size, " bytes, the archive ends after ", std::min(have, size));
  }
}

std::string TarReader::extended(const Header& header) {
  if (header.size > kMaxExtended) {
    fail("extended header of ", header.size, " bytes, at most ", kMaxExtended, " are accepted");
  }
  std::string data(text_of(source_.read(static_cast<size_t>(header.size))));
  skip_data(header.size, data.size());
  return data;
}

// "<length of the whole record> <key>=<value>\n", one after the other
void TarReader::read_pax(const Header& header, Overrides& into) {
  const std::string data = extended(header);
  std::string_view rest = data;
  while (!rest.empty()) {
    const size_t blank = rest.find(' ');
    const std::optional<uint64_t> length = parse_digits(rest.substr(0, blank), 10);
    if (blank == std::string_view::npos || !length || *length > rest.size() ||
        *length < blank + 2 || rest[*length - 1] != '\n') {
      fail("pax record is malformed");
    }
    read_pax_record(rest.substr(blank + 1, *length - blank - 2), into);
    rest.remove_prefix(*length);
  }
}

void TarReader::read_pax_record(std::string_view record, Overrides& into) const {
  const size_t equals = record.find('=');
  if (equals == std::string_view::npos) fail("pax record without \"=\"");
  const std::string_view key = record.substr(0, equals);
  const std::string_view value = record.substr(equals + 1);
  if (key == "path") {
    if (into.name) fail("two names for one tar member");
    into.name = value;
  } else if (key == "size") {
    into.size = parse_digits(value, 10);
    if (!into.size) fail("pax size \"", printable(value, 40), "\" is not a number from 0");
  } else if (key.starts_with("GNU.sparse")) {
    fail("sparse tar members are not supported");
  }
}

void TarReader::read_long_name(const Header& header) {
  const std::string data = extended(header);
  if (next_.name) fail("two names for one tar member");
  next_.name = data.substr(0, data.find('\0'));
}

void TarReader::read_member(Header header) {
  if (const auto& name = next_.name ? next_.name : global_.name) header.name = *name;
  if (const auto& size = next_.size ? next_.size : global_.size) header.size = *size;
  if (header.type == 'S') fail("sparse tar members are not supported");

  const bool file = header.type == '0' || header.type == '\0' || header.type == '7';
  const bool bodiless = header.type >= '1' && header.type <= '6';
  if (bodiless && header.size != 0) {
    fail("link, device or folder with ", header.size, " bytes of data, must have none");
  }
  std::string_view name = header.name;
  if (name.starts_with("./")) name.remove_prefix(2);
  if (header.type == '5' && (name.empty() || name == ".")) return;  // "./" itself
  if (const std::string_view problem = member_name_problem(name); !problem.empty()) {
    fail("tar member name \"", printable(header.name), "\" ", problem);
  }
  if (name.ends_with('/')) name.remove_suffix(1);
  if (!names_.emplace(name).second) fail("tar member \"", printable(name), "\" occurs twice");
  if (names_.size() > most_members_) fail("more than ", most_members_, " tar members");

  if (file) files_.push_back({std::string(name), source_.position(), header.size});
  const auto wanted = std::find_if(wanted_.begin(), wanted_.end(),
                                   [&](const WantedMember& w) { return w.name == name; });
  if (wanted == wanted_.end()) return skip_data(header.size, source_.skip(header.size));
  if (!file)
    fail("tar member \"", name, "\" is not a regular file (type ", printable({&header.type, 1}),
         ")");
  if (header.size > wanted->max_bytes) {
    fail("tar member \"", name, "\" has ", header.size, " bytes, at most ", wanted->max_bytes,
         " are accepted");
  }
  wanted->bytes = source_.keep(header.size);
  skip_data(header.size, wanted->bytes->size());
}

// The first end block has been read.  Behind the second, archives are padded with zeros to the size
// of a tape record.
void TarReader::check_end() {
  const uint64_t at = source_.position();
  Block block = source_.read(kBlock);
  if (block.size() < kBlock || !is_zero(block)) {
    refuse(where_, "tar archive has one end block before offset ", at, ", must be two");
  }
  while (!(block = source_.read(kBlock)).empty()) {
    if (!is_zero(block) || source_.position() - at > kMaxPadding) {
      refuse(where_, "tar archive ends at offset ", at, ", something else follows before offset ",
             source_.position());
    }
  }
}

}  // namespace

void read_tar(ByteSource& source, std::span<WantedMember> wanted, const std::string& where) {
  TarReader(source, kMaxMembers, where).pick(wanted);
}

std::vector<TarFile> list_tar(ByteSource& source, size_t most_members, const std::string& where) {
  return TarReader(source, most_members, where).list();
}

}  // namespace kani
