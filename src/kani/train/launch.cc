// launch.cc - see launch.h.
#include "kani/train/launch.h"

#include <cstdlib>

#include "kani/base/error.h"

namespace kani::train {
namespace {

struct Names {
  const char *launcher, *rank, *size, *local_rank;
};
// In order of precedence.
constexpr Names kLaunchers[] = {
    {"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK"},
    {"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"},
    {"PMI", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"},
    {"Slurm", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"},
};

int number(const char* name, const std::string& text, int least, int most) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  require(!text.empty() && *end == 0 && value >= least && value <= most, "the variable ", name,
          " is \"", text, "\", must be ", least, " to ", most);
  return static_cast<int>(value);
}

}  // namespace

std::string first_host(const std::string& nodelist) {
  const size_t end = nodelist.find_first_of("[,");
  if (end == std::string::npos || nodelist[end] == ',') return nodelist.substr(0, end);
  const size_t stop = nodelist.find_first_of("-,]", end);
  return nodelist.substr(0, end) + nodelist.substr(end + 1, stop - end - 1);
}

Launch read_launch(const std::function<std::optional<std::string>(const char*)>& variable) {
  Launch launch;
  for (const Names& names : kLaunchers) {
    const auto rank = variable(names.rank), size = variable(names.size);
    if (!rank || !size) continue;
    launch.launcher = names.launcher;
    launch.size = number(names.size, *size, 1, 1 << 20);
    launch.rank = number(names.rank, *rank, 0, launch.size - 1);
    if (const auto local = variable(names.local_rank))
      launch.local_rank = number(names.local_rank, *local, 0, 1 << 16);
    break;
  }
  if (const auto address = variable("MASTER_ADDR")) {
    launch.master_address = *address;
  } else if (launch.launcher == "Slurm") {
    if (const auto hosts = variable("SLURM_STEP_NODELIST"))
      launch.master_address = first_host(*hosts);
  }
  if (const auto port = variable("MASTER_PORT"))
    launch.master_port = number("MASTER_PORT", *port, 1, 65535);
  if (const auto again = variable("TORCHELASTIC_RESTART_COUNT"))
    launch.restarts = number("TORCHELASTIC_RESTART_COUNT", *again, 0, 1 << 30);
  launch.store_is_served = variable("TORCHELASTIC_USE_AGENT_STORE").value_or("") == "True";
  return launch;
}

Launch read_launch() {
  return read_launch([](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
}

}  // namespace kani::train
