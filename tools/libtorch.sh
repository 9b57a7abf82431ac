#!/usr/bin/env bash
# libtorch.sh - installs LibTorch for the trainer into build/libtorch (kept out of git): the package torch of the Python
# package index, without the CUDA packages that a program for CPUs does not need.  With --cuda into build/libtorch-cuda,
# with everything that a program for NVIDIA GPUs links and loads (4.5 GB).  Done once; the second time it only looks.
# Debian packages that the trainer is built with and that are missing (train_packages in packages.sh) are installed first.
# usage: tools/libtorch.sh [--cuda] [--quiet]
set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/progress.sh
. tools/packages.sh
version=2.11.0
cuda=false quiet=false
for argument; do
  case $argument in
    --cuda) cuda=true ;;
    --quiet) quiet=true ;;
    *) printf 'libtorch: unknown argument %s\n' "$argument" >&2 && exit 2 ;;
  esac
done
say() { $quiet || printf '%s\n' "$1"; }
target=build/libtorch
if $cuda; then
  target=build/libtorch-cuda
  [ "$(uname -m)" = x86_64 ] || { printf 'libtorch: --cuda is for x86-64\n' >&2 && exit 1; }
fi
mkdir -p build
log=build/libtorch.log
: >"$log"
install_packages "$log" "${train_packages[@]}" || exit 1
if [ "$(cat "$target/version" 2>/dev/null)" = "$version" ]; then
  say "LibTorch $version is in $target"
  exit 0
fi
python=${PYTHON:-python3}
"$python" -m pip --version >/dev/null 2>&1 ||
  { printf 'libtorch: %s has no pip\nhint: apt-get install python3-pip, or name another Python: PYTHON=… %s\n' \
    "$python" "$0" >&2 && exit 1; }
say "LibTorch $version from the Python package index into $target, once"
packages=("torch==$version")
if $cuda; then
  # What torch asks for (its cuda-toolkit 13.0.2 is a list of these), less what only Python uses.
  packages+=(
    nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85 nvidia-cuda-nvrtc==13.0.88 nvidia-cublas==13.1.0.3
    nvidia-cufft==12.0.0.61 nvidia-cufile==1.15.1.6 nvidia-curand==10.4.0.35 nvidia-cusolver==12.0.4.66
    nvidia-cusparse==12.6.3.3 nvidia-nvjitlink==13.0.88 nvidia-nvtx==13.0.85 nvidia-cudnn-cu13==9.19.0.56
    nvidia-cusparselt-cu13==0.8.0 nvidia-nccl-cu13==2.28.9 nvidia-nvshmem-cu13==3.4.5
  )
elif [ "$(uname -m)" = x86_64 ]; then
  # For x86-64 the package is the CUDA one; its CPU library still asks for these two small ones.
  packages+=("nvidia-cuda-runtime==13.0.96" "nvidia-cuda-cupti==13.0.85")
fi
rm -rf "$target" "$target.part"
mkdir -p "$target.part"
"$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
  --target "$target.part" "${packages[@]}" ||
  { printf 'libtorch: pip could not get LibTorch %s for this Python and machine\n' $version >&2 && exit 1; }
# What only Python uses, and without --cuda what only CUDA programs use: two thirds of the package.
rm -rf "$target.part"/torch/lib/libtorch_python.so "$target.part"/torch/bin
$cuda || rm -rf "$target.part"/torch/lib/libtorch_cuda*.so "$target.part"/torch/lib/libtorch_nvshmem.so
printf '%s\n' "$version" >"$target.part/version"
mv "$target.part" "$target"
say "LibTorch $version is in $target ($(du -sh "$target" | cut -f1))"
