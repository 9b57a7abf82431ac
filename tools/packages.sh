# packages.sh - the Debian packages that building and testing need, and installing the ones that are missing.
# Sourced by run, check and libtorch.sh.  Names are those of Debian 12; Ubuntu 24.04 has all of them under the same names (universe
# included, as it is by default).  tools/try_fresh.sh proves the lists on a bare system.

# To build the program `kani`: libraries, one line per purpose; compiler and build tools.
library_packages=(
  nlohmann-json3-dev libcli11-dev
  libsndfile1-dev libmpg123-dev libvorbis-dev libsoxr-dev libmp3lame-dev libvo-aacenc-dev
  libyaml-cpp-dev zlib1g-dev
  libssl-dev
  libicu-dev
)
build_packages=(g++ cmake ninja-build pkgconf "${library_packages[@]}")

# What the trainer needs beyond that: pip for LibTorch, and headers that LibTorch's own include but its package lacks.
# shellcheck disable=SC2034  # used by libtorch.sh
train_packages=(python3-pip libgloo-dev)

# What ./check needs beyond both.
check_packages=(
  git python3 ccache "${train_packages[@]}"
  libgtest-dev googletest
  clang-14 libclang-rt-14-dev llvm-14 clang-format-14
  g++-aarch64-linux-gnu qemu-user
  valgrind espeak-ng flite
)

# What the cross build for 64-bit ARM links and runs with: tools/arm64_root.sh unpacks these, they are not installed.
arm64_packages=(libc6-dev libstdc++6 libgtest-dev "${library_packages[@]}")

# What recipes/kani-mini needs to make its teachers speak: synthesizers, voices, texts.  Licences:
# recipes/kani-mini/README.md.
# shellcheck disable=SC2034  # used by check
recipe_packages=(
  sox flite espeak-ng
  festival festlex-cmu festlex-poslex festvox-kdlpc16k festvox-us-slt-hts
  wordnet-base sword-text-sparv
)

# missing_packages NAME…: those that are not installed, one a line.
missing_packages() {
  local name
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s\n' "$name"
  done
}

# install_packages LOG NAME…: installs what is missing; nothing at all happens if nothing is.  Status 1 and a message
# if that is impossible.
install_packages() {
  local log=$1 missing as_root=()
  shift
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    printf 'packages: this system has no apt-get; going on with what is there.  Needed, by Debian name: %s\n' "$*" >&2
    return 0
  fi
  mapfile -t missing < <(missing_packages "$@")
  if [ ${#missing[@]} -eq 0 ]; then return 0; fi
  printf 'packages: %d of %d are missing and will be installed: %s\n' ${#missing[@]} $# "${missing[*]}" >&2

  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      printf 'packages: cannot install them: not root and no sudo here\nhint: as root: apt-get install %s\n' \
        "${missing[*]}" >&2
      return 1
    fi
    # Ask for the password now, in the foreground; without a terminal sudo must work without one.
    if [ -t 0 ]; then sudo -v || return 1; fi
    as_root=(sudo -n)
  fi
  # A machine that has just booted may be updating itself: wait for its lock.  --force-unsafe-io: no sync to disk after
  # each file, which halves the time; apt syncs at the end.
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300
    -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io)
  # One broken foreign source must not stop us; if ours are out of date the installation says so.
  logged 'package lists' "$log" "${apt[@]}" update || printf 'packages: going on with the old lists\n' >&2
  logged 'packages' "$log" "${apt[@]}" install --no-install-recommends "${missing[@]}"
}
