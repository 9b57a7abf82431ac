// player.h - sound to the loudspeaker through another program: no sound system is linked.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kani/audio/byte_target.h"

namespace kani {

/// The first of pw-play, paplay, aplay, ffplay on PATH, started; takes raw s16le mono.  Null if
/// there is none.  finish() waits until everything was played and throws Error(kCannotWrite) if
/// the program failed; destroyed before that, it stops the program at once.
std::unique_ptr<ByteTarget> open_player_target(int rate_hz);

/// The player that open_player_target would start; nothing if there is none.
std::optional<std::filesystem::path> find_player();

/// An executable file called `name` in the folders of `search_path` (separated by ':'; empty and
/// relative folders are skipped: nothing is run from the current folder).
std::optional<std::filesystem::path> find_program(std::string_view name,
                                                  std::string_view search_path);

}  // namespace kani
