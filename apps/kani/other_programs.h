// other_programs.h - subcommands that are programs of their own: `kani data` is kani-data and
// `kani train` is kani-train, so that nobody who only speaks needs what these need.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kani::cli {

struct OtherProgram {
  std::string_view name;  // "data"
  std::string_view summary;
  std::string_view how_to_get;  // a hint
};

std::span<const OtherProgram> other_programs();
/// nullptr if there is none of this name.
const OtherProgram* find_other_program(std::string_view name);

/// Becomes kani-NAME with these arguments, untouched; does not return.  It is looked for beside
/// this program, in libexec/kani of the same prefix, and on PATH.  Throws Error(kNotFound) with a
/// hint.
[[noreturn]] void become(const OtherProgram& program, const std::vector<std::string>& arguments);

}  // namespace kani::cli
