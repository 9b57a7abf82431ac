// export_place.cc - see export_place.h.
#include "export_place.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

// The same for places that are not there yet; a slash at the end means nothing.
fs::path plain_path(const fs::path& path) {
  std::error_code error;
  fs::path out = fs::weakly_canonical(fs::absolute(path), error);
  if (error) out = fs::absolute(path).lexically_normal();
  return out.has_filename() ? out : out.parent_path();
}

void refuse_places(const fs::path& target, const RunPlaces& places) {
  for (const auto& [flag, place] : places) {
    if (!place.empty() && plain_path(place) == plain_path(target))
      throw Error(ErrorCode::kInvalidArgument, "--export ", target, " is what ", flag,
                  " names, and would be overwritten")
          .with_hint("name a new folder or file");
  }
}

// In the folder that is there now, the one to be made will be.
void require_writable(const fs::path& target) {
  fs::path there = plain_path(target);
  while (!fs::exists(there) && there.has_relative_path()) there = there.parent_path();
  if (!fs::is_directory(there)) throw_cannot_write(target, ENOTDIR);
  if (access(there.c_str(), W_OK | X_OK) != 0) throw_cannot_write(target, errno);
}

}  // namespace

const std::vector<std::string> kModelFiles{"config.json",       "generation_config.json",
                                           "model.safetensors", "special_tokens_map.json",
                                           "tokenizer.json",    "tokenizer_config.json"};
const std::vector<std::string> kEncoderFiles{"config.json", "model.safetensors"};

void check_export_folder(const fs::path& target, const RunPlaces& places,
                         const std::vector<std::string>& files) {
  refuse_places(target, places);
  require_writable(target);
  if (!fs::exists(target)) return;
  for (const auto& entry : fs::directory_iterator(target)) {
    const std::string name = entry.path().filename().string();
    if (std::find(files.begin(), files.end(), name) == files.end())
      throw Error(ErrorCode::kInvalidArgument, "--export ", target, " holds ", name,
                  ", which no export has written")
          .with_hint("name a new folder");
  }
}

void check_export_file(const fs::path& target, const RunPlaces& places) {
  require(target.extension() == ".nemo" || target.extension() == ".safetensors", "--export is \"",
          target,
          "\", must end with .nemo, for a codec, or .safetensors, for what makes its codes");
  refuse_places(target, places);
  require(!fs::is_directory(target), "--export ", target, " is a folder, must be a file");
  require_writable(plain_path(target).parent_path());
}

}  // namespace kani::train
