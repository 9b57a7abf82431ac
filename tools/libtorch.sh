#!/usr/bin/env bash
# libtorch.sh - installs LibTorch for the trainer into build/libtorch (kept out of git): the package torch of the Python
# package index, without the CUDA packages that a program for CPUs does not need.  Done once; the second time it only
# looks.  usage: tools/libtorch.sh [--quiet]
set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=2.11.0
target=build/libtorch
say() { [ "${1:-}" = --quiet ] || printf '%s\n' "$2"; }
if [ "$(cat "$target/version" 2>/dev/null)" = "$version" ]; then
  say "${1:-}" "LibTorch $version is in $target"
  exit 0
fi
say "${1:-}" "LibTorch $version: about 1 GB from the Python package index into $target, once"
packages=("torch==$version")
# For x86-64 the package is the CUDA one; its CPU library still asks for these two small ones.
[ "$(uname -m)" = x86_64 ] && packages+=("nvidia-cuda-runtime==13.0.96" "nvidia-cuda-cupti==13.0.85")
rm -rf "$target" "$target.part"
mkdir -p "$target.part"
python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$target.part" "${packages[@]}"
# What only Python or CUDA programs use: two thirds of it.
rm -rf "$target.part"/torch/lib/libtorch_cuda*.so "$target.part"/torch/lib/libtorch_python.so \
  "$target.part"/torch/lib/libtorch_nvshmem.so "$target.part"/torch/bin
printf '%s\n' "$version" >"$target.part/version"
mv "$target.part" "$target"
say "${1:-}" "LibTorch $version is in $target ($(du -sh "$target" | cut -f1))"
