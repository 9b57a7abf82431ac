// main.cc - the program kani.  Everything is in program.cc; this is the process around it.
#include <fcntl.h>
#include <unistd.h>

#include <new>
#include <string>
#include <vector>

#include "apps/kani/program.h"
#include "apps/kani/signals.h"

namespace {

// A file opened by us must never become descriptor 0, 1 or 2 because the caller closed them.
void fill_standard_descriptors() {
  for (int descriptor = 0; descriptor <= STDERR_FILENO; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) == -1) open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY);
  }
}

}  // namespace

int main(int argc, char** argv) {
  fill_standard_descriptors();
  kani::cli::install_signal_handlers();
  try {
    return kani::cli::run_program(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::bad_alloc&) {
    return 1;
  }
}
