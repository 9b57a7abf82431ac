// address.h - web and mail addresses and file names: no full stop in them ends a sentence, and
// their signs are read out.
#pragma once

#include <vector>

#include "kani/text/mapped_text.h"
#include "kani/text/scan.h"

namespace kani {

/// Addresses in `text`, in order: what has "://" or begins with "www.", mail addresses, names with
/// a well-known ending ("example.com", "notes.txt").  The mark that closes a sentence stays
/// outside.
std::vector<Span> find_addresses(std::u32string_view text);

/// "https://www.example.com/a-b" as "example dot com slash a dash b".  The scheme and "www." are
/// not read; a language without names for the signs gets spaces.
std::u32string say_address(const TextTools& tools, std::u32string_view address);

}  // namespace kani
