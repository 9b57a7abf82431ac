// split_files.h - which files of a folder are of a split, by the words in their paths: sets that
// are handed around as many files are mostly named so ("data/train-00000-of-00002.parquet",
// "shards/dev-000017.tar").  Source: the rule of `datasets` for folders.
// Not here: our own splits (split.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kani {

/// Those of `paths`, relative to the folder, that have the word `split` in them, in their order;
/// all of them for "train" if none has the word of any split.
std::vector<std::string> files_of_split(const std::vector<std::string>& paths,
                                        std::string_view split);

/// The word of a split in a path, empty if there is none.
std::string split_in_path(std::string_view path);

}  // namespace kani
