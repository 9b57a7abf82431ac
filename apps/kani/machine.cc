// machine.cc - see machine.h.
#include "apps/kani/machine.h"

#include <fstream>
#include <string>

namespace kani::cli {
namespace {

/// The number behind `key` in a file of "Key:   123 kB" lines.
uint64_t kilobytes(const char* file, const std::string& key) {
  std::ifstream lines(file);
  std::string word;
  uint64_t value = 0;
  while (lines >> word) {
    if (word == key && lines >> value) return value * 1024;
    lines.ignore(4096, '\n');
  }
  return 0;
}

}  // namespace

uint64_t total_memory_bytes() { return kilobytes("/proc/meminfo", "MemTotal:"); }
uint64_t available_memory_bytes() { return kilobytes("/proc/meminfo", "MemAvailable:"); }
uint64_t peak_resident_bytes() { return kilobytes("/proc/self/status", "VmHWM:"); }

}  // namespace kani::cli
