// manifest_codes.h - the codes of a manifest's recordings by the network that made them up (stage
// mel), for language models to learn from.  The encoder of the file agrees with it in most digits;
// where it does not it hears what nobody else does, the phase of the sound above all, and a
// language model would have to guess that.
#pragma once

#include <filesystem>
#include <functional>

namespace kani::train {

/// Copies `manifest` (JSON lines as SoundSet takes them) to `out`, with the key codes in each line,
/// a list for each codebook, of the whole recording; a line whose recording cannot be read gets
/// none.  Relative paths lead to the same sounds from `out`, which may lie in another folder.
/// `networks`: as load_networks(), with an analysis network.  `tell(done, all)` after each line;
/// false from it stops, and `out` is not written.  Returns whether all was done.  What is done
/// stands in `out`.part: the next call with the same networks and manifest goes on from there, also
/// after a kill.  Throws Error(kNotFound, kBadInput, kCannotWrite).
bool write_manifest_codes(const std::filesystem::path& networks,
                          const std::filesystem::path& manifest, const std::filesystem::path& out,
                          const std::function<bool(size_t done, size_t all)>& tell);

}  // namespace kani::train
