// arrow_folder.h - which files make up a data set on this machine: a folder of Parquet files as
// `load_dataset` takes it, or a folder of `save_to_disk`.  Nothing is fetched from a hub.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace kani {

/// The files of one split, in the order of their rows.
///   save_to_disk: what state.json lists (or that of the split's folder beside dataset_dict.json);
///   where state.json has hashes of ours they are compared.
///   Parquet: all *.parquet of the folder, or of its subfolder `name`, whose path has `split` as a
///   word ("data/train-00000-of-00002.parquet"); all of them if no path has the word of any split
///   and `split` is "train".  Sorted by path.
/// `name` may be empty.  Throws Error(kNotFound), Error(kBadInput), Error(kUnsupported) for a split
/// expression such as train[:10%].
std::vector<std::filesystem::path> find_set_files(const std::filesystem::path& folder,
                                                  std::string_view name, std::string_view split);

}  // namespace kani
