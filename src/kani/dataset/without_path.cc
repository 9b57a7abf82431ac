// without_path.cc - see without_path.h.
#include "kani/dataset/without_path.h"

namespace kani {

std::string without_path(std::string message, const std::filesystem::path& path,
                         std::string_view name) {
  if (const size_t at = message.find(path.string()); at != std::string::npos)
    message.replace(at, path.string().size(), name);
  return message;
}

}  // namespace kani
