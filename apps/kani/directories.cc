// directories.cc - see directories.h.
#include "apps/kani/directories.h"

#include <cstdlib>

namespace kani::cli {
namespace {

std::filesystem::path below(const char* variable, const char* below_home, const char* rest) {
  if (const std::string base = environment(variable); !base.empty())
    return std::filesystem::path(base) / rest;
  const std::string home = environment("HOME");
  return home.empty() ? std::filesystem::path() : std::filesystem::path(home) / below_home / rest;
}

}  // namespace

std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

std::filesystem::path user_config_path() {
  return below("XDG_CONFIG_HOME", ".config", "kani/kani.toml");
}

std::filesystem::path user_voice_folder() {
  return below("XDG_DATA_HOME", ".local/share", "kani/voices");
}

std::filesystem::path hub_cache_folder() {
  for (const char* variable : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (const std::string folder = environment(variable); !folder.empty()) return folder;
  }
  if (const std::string home = environment("HF_HOME"); !home.empty())
    return std::filesystem::path(home) / "hub";
  return below("XDG_CACHE_HOME", ".cache", "huggingface/hub");
}

}  // namespace kani::cli
