// directories.h - the user's folders.  interfaces.md 8.1, 8.5.
#pragma once

#include <filesystem>
#include <string>

namespace kani::cli {

/// The variable's value; empty if it is unset or empty.
std::string environment(const std::string& name);

/// $XDG_CONFIG_HOME/kani/kani.toml or ~/.config/kani/kani.toml; empty if neither variable is set.
std::filesystem::path user_config_path();
/// $XDG_DATA_HOME/kani/voices or ~/.local/share/kani/voices; empty likewise.
std::filesystem::path user_voice_folder();
/// $HF_HUB_CACHE, the older $HUGGINGFACE_HUB_CACHE, $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub
/// or ~/.cache/….
std::filesystem::path hub_cache_folder();

}  // namespace kani::cli
