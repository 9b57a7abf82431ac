// Files as others see them: whole or not at all, and what happens where writing is impossible.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "kani/audio/byte_target.h"
#include "kani/audio/sound_reader.h"
#include "kani/audio/test_sound.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

const std::vector<float>& second() {
  static const std::vector<float> sound = tone(22050, 440, 22050);
  return sound;
}

void save(const fs::path& path, SoundWriterOptions options = {}) {
  const auto writer = open_sound_file(path, options);
  writer->write(second());
  writer->finish();
}

TEST(SoundFile, appears_only_when_finished) {
  const TemporaryFolder folder;
  for (const char* name : {"a.wav", "a.flac", "a.mp3", "a.opus", "a.ogg", "a.aac", "a.raw"}) {
    const SoundWriterOptions options{.format = *sound_format_from_name(name)};
    if (!sound_format_supported(options.format)) continue;
    const auto writer = open_sound_file(folder / name, options);
    writer->write(second());
    EXPECT_FALSE(fs::exists(folder / name)) << name;
    writer->finish();
    EXPECT_GT(fs::file_size(folder / name), 1000U) << name;
    fs::remove(folder / name);
  }
  EXPECT_EQ(folder.files(), 0U);
}

TEST(SoundFile, without_finish_nothing_is_left_and_an_older_file_stays) {
  const TemporaryFolder folder;
  write_file(folder / "b.flac", "old");
  for (const char* name : {"a.wav", "b.flac", "c.mp3", "d.opus"}) {
    const auto writer = open_sound_file(folder / name, {.format = *sound_format_from_name(name)});
    writer->write(second());
  }
  EXPECT_EQ(folder.files(), 1U);
  EXPECT_EQ(read_file(folder / "b.flac", 100), "old");
}

TEST(SoundFile, is_the_same_as_in_memory) {
  const TemporaryFolder folder;
  for (const char* name : {"a.wav", "a.flac", "a.mp3", "a.opus", "a.ogg"}) {
    const SoundWriterOptions options{.format = *sound_format_from_name(name), .title = "T"};
    save(folder / name, options);
    EXPECT_EQ(file_bytes(folder / name), encoded(second(), options)) << name;
  }
}

TEST(SoundFile, streaming_writes_in_place_and_leaves_nothing_unless_finished) {
  const TemporaryFolder folder;
  for (const bool finished : {true, false}) {
    const auto writer = open_sound_file(folder / "a.wav", {.streaming = true});
    writer->write(second());
    EXPECT_EQ(fs::file_size(folder / "a.wav"), 44U + 2 * second().size());
    if (!finished) continue;
    writer->finish();
    EXPECT_EQ(file_bytes(folder / "a.wav"), streamed(second(), {}));
    EXPECT_EQ(folder.files(), 1U);
  }
  EXPECT_EQ(folder.files(), 0U);
}

TEST(SoundFile, a_symbolic_link_stays_one) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "real");
  fs::create_symlink("real/sound.wav", folder / "link.wav");  // dangling at first
  for (int times = 0; times < 2; ++times) {
    save(folder / "link.wav");
    EXPECT_TRUE(fs::is_symlink(folder / "link.wav"));
    EXPECT_TRUE(fs::is_regular_file(folder / "real" / "sound.wav"));
  }
  EXPECT_EQ(folder.files(), 2U);
}

TEST(SoundFile, a_loop_of_links_is_refused) {
  const TemporaryFolder folder;
  fs::create_symlink("b", folder / "a");
  fs::create_symlink("a", folder / "b");
  EXPECT_EQ(error_of([&] { save(folder / "a"); }),
            concat("cannot_write: cannot write ", folder / "a", ": ", strerror(ELOOP)));
}

TEST(SoundFile, a_fifo_is_written_to_not_replaced) {
  const TemporaryFolder folder;
  const fs::path fifo = folder / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  std::string got;
  std::thread reader([&] {
    const int in = open(fifo.c_str(), O_RDONLY);
    std::array<char, 4096> block;
    for (ssize_t n = 0; (n = read(in, block.data(), block.size())) > 0;) {
      got.append(block.data(), static_cast<size_t>(n));
    }
    close(in);
  });
  save(fifo);
  reader.join();
  EXPECT_TRUE(fs::is_fifo(fifo));
  EXPECT_EQ(to_bytes(got), streamed(second(), {}));  // lengths cannot be filled in
}

TEST(SoundFile, a_device_is_written_to_not_replaced) {
  save("/dev/null");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(SoundFile, names_of_open_descriptors_go_on_where_those_are) {
  const TemporaryFolder folder;
  const int file = open((folder / "log").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(write(file, "before", 6), 6);
  save(concat("/dev/fd/", file), {.format = SoundFormat::kRaw});
  save(concat("/proc/self/fd/", file), {.format = SoundFormat::kRaw});
  fs::create_symlink(concat("/dev/fd/", file), folder / "link");
  save(folder / "link", {.format = SoundFormat::kRaw});
  ASSERT_EQ(write(file, "after", 5), 5);
  close(file);
  const std::string text = read_file(folder / "log", 1 << 20);
  EXPECT_TRUE(text.starts_with("before"));
  EXPECT_TRUE(text.ends_with("after"));
  EXPECT_EQ(text.size(), 11 + 3 * 2 * second().size());
}

TEST(SoundFile, a_closed_pipe_is_an_error_and_no_signal) {
  ASSERT_EQ(signal(SIGPIPE, SIG_DFL), SIG_DFL) << "the signal would end this test";
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string name = concat("/dev/fd/", ends[1]);
  const auto writer = open_sound_file(name, {});
  close(ends[0]);
  EXPECT_EQ(error_of([&] { writer->write(second()); }),
            concat("cannot_write: cannot write ", name, ": ", strerror(EPIPE)));
  close(ends[1]);
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

TEST(SoundFile, a_closed_descriptor_is_an_error) {
  EXPECT_EQ(error_of([] { save("/dev/fd/987"); }),
            concat("cannot_write: cannot write /dev/fd/987: ", strerror(EBADF)));
}

TEST(SoundFile, missing_folders_and_folders_as_files_are_named) {
  const TemporaryFolder folder;
  EXPECT_EQ(
      error_of([&] { save(folder / "none" / "a.wav"); }),
      concat("cannot_write: cannot write ", folder / "none" / "a.wav", ": ", strerror(ENOENT)));
  EXPECT_EQ(error_of([&] { save(folder.path()); }),
            concat("cannot_write: cannot write ", folder.path(), ": ", strerror(EISDIR)));
  EXPECT_EQ(error_of([&] { save(folder.path(), {.streaming = true}); }),
            concat("cannot_write: cannot write ", folder.path(), ": ", strerror(EISDIR)));
}

TEST(SoundFile, a_folder_without_permission_is_named) {
  const TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms(0555));
  const bool root = geteuid() == 0;  // who may write everywhere
  ASSERT_TRUE(!root || seteuid(65534) == 0);
  const std::string error = error_of([&] { save(folder / "a.wav"); });
  ASSERT_TRUE(!root || seteuid(0) == 0);
  EXPECT_EQ(error, concat("cannot_write: cannot write ", folder / "a.wav", ": ", strerror(EACCES)));
}

TEST(SoundFile, wrong_options_leave_an_older_file_alone) {
  const TemporaryFolder folder;
  write_file(folder / "a.opus", "old");
  EXPECT_NE(error_of([&] {
              save(folder / "a.opus",
                   {.format = SoundFormat::kOpus, .output_rate_hz = 22050, .streaming = true});
            }),
            "");
  EXPECT_EQ(read_file(folder / "a.opus", 100), "old");
}

TEST(SoundFile, a_full_device_is_named) {
  EXPECT_EQ(error_of([] { save("/dev/full"); }),
            concat("cannot_write: cannot write /dev/full: ", strerror(ENOSPC)));
}

// Every format, at a limit that is met in the middle of the sound and in the last bytes.
void expect_refusal_at_limit(const fs::path& folder, const char* name, uint64_t limit, int reason) {
  const SoundWriterOptions options{.format = *sound_format_from_name(name)};
  if (!sound_format_supported(options.format)) return;
  const fs::path path = folder / name;
  EXPECT_EQ(error_of([&] { save(path, options); }),
            concat("cannot_write: cannot write ", path, ": ", strerror(reason)))
      << name << ", at most " << limit << " bytes";
  EXPECT_TRUE(fs::is_empty(folder)) << name;
}

TEST(SoundFile, a_limit_of_the_system_is_named_and_leaves_nothing) {
  const TemporaryFolder folder;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  for (const char* name : {"a.wav", "a.flac", "a.mp3", "a.opus", "a.ogg", "a.aac", "a.raw"}) {
    const SoundWriterOptions options{.format = *sound_format_from_name(name)};
    if (!sound_format_supported(options.format)) continue;
    const uint64_t size = encoded(second(), options).size();
    for (const uint64_t limit : {uint64_t{10}, size / 2, size - 1}) {
      const rlimit less{.rlim_cur = limit, .rlim_max = before.rlim_max};
      ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &less), 0);
      expect_refusal_at_limit(folder.path(), name, limit, EFBIG);
      ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    }
  }
  signal(SIGXFSZ, handler);
}

TEST(SoundFile, a_full_disk_is_named_and_leaves_nothing) {
  const TemporaryFolder folder;
  if (mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=4k") != 0) {
    GTEST_SKIP() << "a small file system cannot be mounted here: " << strerror(errno);
  }
  for (const char* name : {"a.wav", "a.flac", "a.mp3", "a.opus", "a.aac", "a.raw"}) {
    expect_refusal_at_limit(folder.path(), name, 4096, ENOSPC);
  }
  EXPECT_EQ(umount(folder.path().c_str()), 0);
}

}  // namespace
}  // namespace kani
