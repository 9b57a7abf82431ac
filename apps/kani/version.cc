// version.cc - see version.h.  The engine tells what it is made of; the libraries of the program
// itself are added here.
#include "apps/kani/version.h"

#include <CLI/Version.hpp>

#include "apps/kani/json_text.h"
#include "kani/kani.h"

namespace kani::cli {

void print_version(StandardOutput& out, bool json) {
  const BuildInfo build = build_info();
  if (!json) {
    out.line(concat("kani ", build.version, " (commit ", build.commit, ", ", build.compiler, ", ",
                    build.build_type, ")"));
    return;
  }
  Json libraries = Json::object();
  for (const auto& [name, version] : build.libraries) libraries[name] = version;
  libraries["CLI11"] = CLI11_VERSION;
  out.line(json_document({{"version", build.version},
                          {"commit", build.commit},
                          {"compiler", build.compiler},
                          {"build_type", build.build_type},
                          {"backends", build.backends},
                          {"libraries", libraries}}));
}

}  // namespace kani::cli
