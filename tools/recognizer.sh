#!/usr/bin/env bash
# recognizer.sh - installs pocketsphinx, which writes down what kani says for `kani eval`, into build/recognizer (kept out
# of git): a virtual environment with packages of the Python package index.  Done once; the second time it only looks.
# usage: tools/recognizer.sh [--quiet]; then the recognizer is: build/recognizer/bin/python tools/recognizers/pocketsphinx
set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
packages=(pocketsphinx==5.1.1 numpy)
quiet=false
case ${1-} in
  '') ;;
  --quiet) quiet=true ;;
  *) printf 'recognizer: unknown argument %s\n' "$1" >&2 && exit 2 ;;
esac
say() { $quiet || printf '%s\n' "$1"; }
target=build/recognizer
if [ "$(cat "$target/packages" 2>/dev/null)" = "${packages[*]}" ]; then
  say "${packages[*]} are in $target"
  exit 0
fi
say "${packages[*]} from the Python package index into $target, once"
rm -rf "$target"
# Without the ensurepip of Debian's python3-venv, which need not be installed: pip of the system installs into it.
python3 -m venv --without-pip "$target"
python3 -m pip --python "$target/bin/python" install --quiet --disable-pip-version-check "${packages[@]}"
printf '%s' "${packages[*]}" >"$target/packages"
