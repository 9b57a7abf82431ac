/* fault.c - a library to be loaded before others (LD_PRELOAD): one kind of call fails in files of
 * one folder.  For `faults`.
 *
 * KANI_FAULT_UNDER   the folder; calls that concern other files pass
 * KANI_FAULT_CALL    open, read, write, fsync, rename, truncate, map, lock, mkdir
 * KANI_FAULT_AT      which one of them fails, from 1 on; 0: none
 * KANI_FAULT_ERROR   errno; 0: read and write do half of what they should
 * KANI_FAULT_EVER    1: all from then on fail
 * KANI_FAULT_COUNTS  a file that gets a byte for every such call */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *under, *call;
static int at, error_number, ever;
static int seen;

__attribute__((constructor)) static void begin(void) {
  under = getenv("KANI_FAULT_UNDER");
  call = getenv("KANI_FAULT_CALL");
  if (!under || !call) under = call = NULL;
  at = getenv("KANI_FAULT_AT") ? atoi(getenv("KANI_FAULT_AT")) : 0;
  error_number = getenv("KANI_FAULT_ERROR") ? atoi(getenv("KANI_FAULT_ERROR")) : 0;
  ever = getenv("KANI_FAULT_EVER") != NULL;
}

/* At once, not at the end: programs may leave without it. */
static void count(void) {
  const char *counts = getenv("KANI_FAULT_COUNTS");
  if (!counts) return;
  const int file =
      (int)syscall(SYS_openat, AT_FDCWD, counts, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file >= 0 && syscall(SYS_write, file, ".", 1) == 1) syscall(SYS_close, file);
}

/* Whether this call, of that kind and on that file, is to fail. */
static int fails(const char *kind, const char *path) {
  char full[PATH_MAX];
  if (!under || !path || strcmp(kind, call) != 0) return 0;
  if (path[0] != '/') {
    if (!getcwd(full, sizeof full / 2)) return 0;
    strncat(full, "/", 2);
    strncat(full, path, sizeof full / 2 - 2);
    path = full;
  }
  if (strncmp(path, under, strlen(under)) != 0) return 0;
  const int number = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
  count();
  return at > 0 && (ever ? number >= at : number == at);
}

static int fails_open_file(const char *kind, int file) {
  char link[64], path[PATH_MAX];
  if (!under || strcmp(kind, call) != 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = '\0';
  return fails(kind, path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL(value) return errno = error_number, (value)

static mode_t mode_of(int flags, va_list rest) {
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                             \
  int name(const char *path, int flags, ...) { \
    va_list rest;                              \
    va_start(rest, flags);                     \
    const mode_t mode = mode_of(flags, rest);  \
    va_end(rest);                              \
    if (fails("open", path)) FAIL(-1);         \
    return NEXT(name)(path, flags, mode);      \
  }
OPEN(open)
OPEN(open64)
int __open_2(const char *path, int flags) { return open(path, flags); }
int __open64_2(const char *path, int flags) { return open64(path, flags); }
int mkostemps(char *name, int suffix, int flags) {
  if (fails("open", name)) FAIL(-1);
  return NEXT(mkostemps)(name, suffix, flags);
}
int mkostemps64(char *name, int suffix, int flags) {
  if (fails("open", name)) FAIL(-1);
  return NEXT(mkostemps64)(name, suffix, flags);
}
FILE *fopen(const char *path, const char *mode) {
  if (fails("open", path)) FAIL(NULL);
  return NEXT(fopen)(path, mode);
}
FILE *fopen64(const char *path, const char *mode) {
  if (fails("open", path)) FAIL(NULL);
  return NEXT(fopen64)(path, mode);
}

/* Calls that move bytes: they fail, or do half. */
#define MOVE(kind, file, size, whole, half)       \
  if (!fails_open_file(kind, file)) return whole; \
  if (error_number != 0 || (size) < 2) FAIL(-1);  \
  return half
ssize_t read(int file, void *to, size_t size) {
  MOVE("read", file, size, NEXT(read)(file, to, size), NEXT(read)(file, to, size / 2));
}
ssize_t pread(int file, void *to, size_t size, off_t place) {
  MOVE("read", file, size, NEXT(pread)(file, to, size, place),
       NEXT(pread)(file, to, size / 2, place));
}
ssize_t pread64(int file, void *to, size_t size, off_t place) {
  MOVE("read", file, size, NEXT(pread64)(file, to, size, place),
       NEXT(pread64)(file, to, size / 2, place));
}
ssize_t __read_chk(int file, void *to, size_t size, size_t room) {
  return (void)room, read(file, to, size);
}
ssize_t __pread_chk(int file, void *to, size_t size, off_t place, size_t room) {
  return (void)room, pread(file, to, size, place);
}
ssize_t __pread64_chk(int file, void *to, size_t size, off_t place, size_t room) {
  return (void)room, pread64(file, to, size, place);
}
ssize_t write(int file, const void *from, size_t size) {
  MOVE("write", file, size, NEXT(write)(file, from, size), NEXT(write)(file, from, size / 2));
}
ssize_t pwrite(int file, const void *from, size_t size, off_t place) {
  MOVE("write", file, size, NEXT(pwrite)(file, from, size, place),
       NEXT(pwrite)(file, from, size / 2, place));
}
ssize_t pwrite64(int file, const void *from, size_t size, off_t place) {
  MOVE("write", file, size, NEXT(pwrite64)(file, from, size, place),
       NEXT(pwrite64)(file, from, size / 2, place));
}
ssize_t writev(int file, const struct iovec *parts, int count) {
  MOVE("write", file, parts[0].iov_len, NEXT(writev)(file, parts, count),
       NEXT(write)(file, parts[0].iov_base, parts[0].iov_len / 2));
}

int fsync(int file) {
  if (fails_open_file("fsync", file)) FAIL(-1);
  return NEXT(fsync)(file);
}
int fdatasync(int file) {
  if (fails_open_file("fsync", file)) FAIL(-1);
  return NEXT(fdatasync)(file);
}
int ftruncate(int file, off_t size) {
  if (fails_open_file("truncate", file)) FAIL(-1);
  return NEXT(ftruncate)(file, size);
}
int ftruncate64(int file, off_t size) {
  if (fails_open_file("truncate", file)) FAIL(-1);
  return NEXT(ftruncate64)(file, size);
}
int truncate(const char *path, off_t size) {
  if (fails("truncate", path)) FAIL(-1);
  return NEXT(truncate)(path, size);
}
int truncate64(const char *path, off_t size) {
  if (fails("truncate", path)) FAIL(-1);
  return NEXT(truncate64)(path, size);
}
int rename(const char *from, const char *to) {
  if (fails("rename", to)) FAIL(-1);
  return NEXT(rename)(from, to);
}
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
  if (fails("rename", to)) FAIL(-1);
  return NEXT(renameat2)(a, from, b, to, flags);
}
int mkdir(const char *path, mode_t mode) {
  if (fails("mkdir", path)) FAIL(-1);
  return NEXT(mkdir)(path, mode);
}
int flock(int file, int what) {
  if (fails_open_file("lock", file)) FAIL(-1);
  return (int)syscall(SYS_flock, file, what);
}
void *mmap(void *where, size_t size, int access, int flags, int file, off_t place) {
  if (file >= 0 && fails_open_file("map", file)) FAIL(MAP_FAILED);
  return (void *)syscall(SYS_mmap, where, size, access, flags, file, place);
}
void *mmap64(void *where, size_t size, int access, int flags, int file, off_t place) {
  return mmap(where, size, access, flags, file, place);
}
