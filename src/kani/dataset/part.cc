// part.cc - see part.h.
#include "kani/dataset/part.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "kani/base/error.h"

namespace kani {
namespace {

constexpr int kMostParts = 100'000;

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Launcher {
  const char* rank;
  const char* size;
};
constexpr Launcher kLaunchers[] = {{"RANK", "WORLD_SIZE"},
                                   {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                   {"PMI_RANK", "PMI_SIZE"},
                                   {"SLURM_PROCID", "SLURM_NTASKS"}};

}  // namespace

Part parse_part(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash != std::string::npos) {
    const auto index = whole_number(std::string_view(text).substr(0, slash));
    const auto count = whole_number(std::string_view(text).substr(slash + 1));
    if (index && count && *count >= 1 && *count <= kMostParts && *index >= 1 && *index <= *count)
      return {*index - 1, *count};
  }
  throw Error(ErrorCode::kInvalidArgument, "--part is ", printable(text, 40),
              ", expected I/N with I from 1 to N, as 2/4");
}

Part part_from_environment(const std::function<const char*(const char*)>& look_up) {
  for (const Launcher& launcher : kLaunchers) {
    const char* rank = look_up(launcher.rank);
    const char* size = look_up(launcher.size);
    if (rank == nullptr || size == nullptr) continue;
    const auto index = whole_number(rank), count = whole_number(size);
    require(index && count && *count >= 1 && *count <= kMostParts && *index >= 0 && *index < *count,
            launcher.rank, " is ", printable(rank, 20), " and ", launcher.size, " is ",
            printable(size, 20), ", expected a rank below the size");
    return {*index, *count};
  }
  return {};
}

}  // namespace kani
