#!/usr/bin/env bash
# cuda_compiler.sh - a compiler for the trainer's CUDA kernels (src/kani/train/cuda) where the machine has none: nvcc 13.0
# from the Python package index into build/cuda (kept out of git), 300 MB.  No GPU and no driver is needed to compile.
# A machine with a toolkit of release 13 of its own uses that (CUDACXX, else nvcc on the PATH) and nothing is downloaded.
# usage: tools/cuda_compiler.sh [--download] [--print]
#   --download: even if the machine has one    --print: only the path of the compiler on the last line
set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=13.0.88
target=build/cuda
download=false print=false
for argument; do
  case $argument in
    --download) download=true ;;
    --print) print=true ;;
    *) printf 'cuda_compiler: unknown argument %s\n' "$argument" >&2 && exit 2 ;;
  esac
done
say() { $print || printf '%s\n' "$1"; }
found() {
  if $print; then printf '%s\n' "$1"; else printf 'cuda: %s (%s)\n' "$1" "$(release "$1")"; fi
}
release() { "$1" --version 2>/dev/null | sed -n 's/.*release \([0-9.]*\).*/\1/p'; }

if ! $download; then
  for nvcc in "${CUDACXX:-}" "$(command -v nvcc || true)"; do
    [ -n "$nvcc" ] || continue
    case $(release "$nvcc") in
      13.*) found "$nvcc" && exit 0 ;;
      *) say "cuda: $nvcc is not of release 13 and is passed over" ;;
    esac
  done
fi
if [ "$(cat $target/version 2>/dev/null)" = $version ]; then
  found "$PWD/$target/bin/nvcc"
  exit 0
fi
say "cuda: nvcc $version from the Python package index into $target, once"
# All of one release, as one part reads what another writes.
packages=(
  "nvidia-cuda-nvcc==$version" "nvidia-nvvm==$version" "nvidia-cuda-crt==$version"
  nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85
)
rm -rf $target.part
trap 'rm -rf $target.part' EXIT
mkdir -p $target.part
"${PYTHON:-python3}" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --no-compile \
  --only-binary=:all: --target $target.part "${packages[@]}" ||
  { printf 'cuda: pip could not get nvcc %s for this Python and machine\n' $version >&2 && exit 1; }
rm -rf $target
mv $target.part/nvidia/cu13 $target
printf '%s\n' $version >$target/version
found "$PWD/$target/bin/nvcc"
