#!/usr/bin/env bash
# arrow.sh - puts Apache Arrow's libraries and headers into build/pyarrow, from the pyarrow wheel of the Python package
# index, so that reading and writing of Parquet and of Hugging Face data sets is built (cmake/arrow.cmake finds it).
# Why a wheel: Debian 12 has no Arrow packages, and the wheel holds headers and libraries of one version.
# Nothing is installed outside of build/pyarrow and no other package comes along.  Nothing happens if it is there already.
set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=26.0.1
folder=build/pyarrow

if [ -f $folder/version ] && [ "$(cat $folder/version)" = $version ]; then
  printf 'arrow: pyarrow %s is in %s\n' $version $folder
  exit 0
fi
python=${PYTHON:-python3}
"$python" -m pip --version >/dev/null 2>&1 ||
  { printf 'arrow: %s has no pip\nhint: apt-get install python3-pip, or name another Python: PYTHON=… %s\n' \
    "$python" "$0" >&2 && exit 1; }
printf 'arrow: downloading pyarrow %s (about 50 MB) into %s\n' $version $folder
mkdir -p build
rm -rf $folder.new
trap 'rm -rf $folder.new' EXIT
"$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --no-compile --only-binary=:all: \
  --target $folder.new "pyarrow==$version" ||
  { printf 'arrow: pip could not get pyarrow %s for this Python and machine\n' $version >&2 && exit 1; }
printf '%s\n' $version >$folder.new/version
rm -rf $folder
mv $folder.new $folder
printf 'arrow: done; configure again (cmake --preset …) and Parquet and Arrow are built\n'
