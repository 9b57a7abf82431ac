// libraries.cc - see libraries.h.
#include "kani/text/libraries.h"

#include <unicode/uversion.h>

namespace kani {

std::vector<std::pair<std::string, std::string>> text_libraries() {
  return {{"icu", U_ICU_VERSION}};
}

}  // namespace kani
