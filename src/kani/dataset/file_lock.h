// file_lock.h - the locks by which processes on several machines keep out of each other's way: on
// files of a work folder, gone when the process is.  Source: training.md 15.9.
#pragma once

#include <filesystem>

namespace kani {

/// An open file that may be locked; closed, and by that unlocked, at the end.
class FileLock {
 public:
  /// Makes the file if it is not there.  Throws Error(kCannotWrite).
  explicit FileLock(std::filesystem::path path);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

  /// False if another process has it.  Throws Error(kCannotWrite) where files cannot be locked, as
  /// on some network drives: that is not the same as having to wait.
  bool try_lock();
  /// Whether another process has it now.  Throws likewise.
  bool is_held_elsewhere();
  /// Waits for it.  Throws likewise.
  void wait();

 private:
  bool lock(int how);

  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace kani
