// other_programs.cc - see other_programs.h.
#include "apps/kani/other_programs.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "kani/base/error.h"

namespace kani::cli {
namespace {

namespace fs = std::filesystem;

constexpr OtherProgram kPrograms[] = {
    {"data", "recordings to training data (kani-data)",
     "it is built with kani and installed beside it"},
    {"train", "train and fine-tune models (kani-train)",
     "it is built from source with LibTorch: tools/libtorch.sh, then cmake --preset release "
     "-DKANI_TRAIN=ON and cmake --build build/release; or put kani-train beside kani or on PATH"},
};

std::vector<fs::path> places(const std::string& file) {
  std::vector<fs::path> all;
  std::error_code error;
  if (const fs::path self = fs::read_symlink("/proc/self/exe", error); !error) {
    all.push_back(self.parent_path() / file);
    all.push_back(self.parent_path().parent_path() / "libexec" / "kani" / file);
  }
  const char* path = std::getenv("PATH");
  for (std::string_view rest = path == nullptr ? "" : path; !rest.empty();) {
    const size_t end = std::min(rest.find(':'), rest.size());
    if (end > 0) all.push_back(fs::path(rest.substr(0, end)) / file);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return all;
}

}  // namespace

std::span<const OtherProgram> other_programs() { return kPrograms; }

const OtherProgram* find_other_program(std::string_view name) {
  for (const OtherProgram& program : kPrograms) {
    if (program.name == name) return &program;
  }
  return nullptr;
}

void become(const OtherProgram& program, const std::vector<std::string>& arguments) {
  const std::string file = concat("kani-", program.name);
  for (const fs::path& place : places(file)) {
    std::error_code error;
    if (!fs::is_regular_file(place, error) || access(place.c_str(), X_OK) != 0) continue;
    std::vector<char*> words = {const_cast<char*>(place.c_str())};
    for (const std::string& argument : arguments)
      words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    signal(SIGPIPE, SIG_DFL);  // ignored here, and that would be inherited
    execv(place.c_str(), words.data());
    throw Error(ErrorCode::kNotFound, place, " cannot be run: ", std::strerror(errno));
  }
  throw Error(ErrorCode::kNotFound, "kani ", program.name, " is the program ", file,
              ", which is not installed")
      .with_hint(std::string(program.how_to_get));
}

}  // namespace kani::cli
