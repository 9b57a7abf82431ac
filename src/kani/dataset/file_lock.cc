// file_lock.cc - see file_lock.h.
#include "kani/dataset/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "kani/base/error.h"
#include "kani/base/file.h"

namespace kani {

FileLock::FileLock(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw_cannot_write(path_, errno);
}

FileLock::~FileLock() { close(descriptor_); }

bool FileLock::try_lock() { return lock(LOCK_EX | LOCK_NB); }

bool FileLock::is_held_elsewhere() {
  const bool mine = lock(LOCK_SH | LOCK_NB);
  if (mine) lock(LOCK_UN);
  return !mine;
}

void FileLock::wait() { lock(LOCK_EX); }

bool FileLock::lock(int how) {
  while (flock(descriptor_, how) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno == EINTR) continue;
    throw Error(ErrorCode::kCannotWrite, path_,
                ": cannot be locked: ", std::generic_category().message(errno))
        .with_hint("name an --out on a file system that has locks (flock)");
  }
  return true;
}

}  // namespace kani
