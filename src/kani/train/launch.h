// launch.h - which of several processes this is, told by whoever started them: torchrun, mpirun
// (Open MPI, MPICH), srun.  Source: training.md 16.4.  Not here: talking to the others (comm.h).
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace kani::train {

struct Launch {
  int rank = 0;
  int size = 1;
  int local_rank = 0;
  int restarts = 0;  // how often torchrun has started the group anew
  std::string master_address = "127.0.0.1";
  int master_port = 29500;
  bool store_is_served = false;  // by the launcher: rank 0 must not open it a second time
  std::string launcher = "none";
  bool elastic = false;  // a checkpoint of another number of processes may be gone on with
};

/// Reads an environment (std::getenv for a process).  Throws Error(kInvalidArgument) for variables
/// that contradict each other or are no numbers.
Launch read_launch(const std::function<std::optional<std::string>(const char*)>& variable);
Launch read_launch();

/// The first host of a Slurm list: "node[03-05,09]" is "node03".
std::string first_host(const std::string& nodelist);

}  // namespace kani::train
