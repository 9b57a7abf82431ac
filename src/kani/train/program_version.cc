// program_version.cc - see program_version.h.
#include "kani/train/program_version.h"

#include "kani/version.h"

namespace kani::train {

std::string program_version() { return KANI_VERSION " (" KANI_COMMIT ")"; }

}  // namespace kani::train
