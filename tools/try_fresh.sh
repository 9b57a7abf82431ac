#!/usr/bin/env bash
# try_fresh.sh - the stranger's machine: makes a bare Debian (debootstrap minbase, git and certificates, nothing else) in
# a folder, clones this repository's HEAD into it, and runs ./run, the README's "Train your own" and ./check there, with
# times.  Needs root, debootstrap, and the package sources of this machine, which it copies.  Not part of ./check: it
# takes an hour or so.
# usage: tools/try_fresh.sh [--suite NAME] [--user] [--keep] [run] [train] [check]   --user: as a user with sudo, not as root
set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
repo=$PWD
suite=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
keep=false as_user=false steps=()
while [ $# -gt 0 ]; do
  case $1 in
    --suite) suite=$2 && shift ;;
    --keep) keep=true ;;
    --user) as_user=true ;;
    run | train | check) steps+=("$1") ;;
    *) sed -n 's/^# usage: /usage: /p' "$0" >&2 && exit 2 ;;
  esac
  shift
done
[ ${#steps[@]} -gt 0 ] || steps=(run train check)
[ "$(id -u)" -eq 0 ] || { printf 'try_fresh: needs root\n' >&2 && exit 1; }
command -v debootstrap >/dev/null || { printf 'try_fresh: needs the package debootstrap\n' >&2 && exit 1; }

# What a stranger does after ./run who wants to train, with recordings of the program's own.
train_own='
set -eu
tools/libtorch.sh
cmake --preset release -DKANI_TRAIN=ON && cmake --build build/release
kani=build/release/bin/kani
mkdir -p recordings
number=0
for text in "Good morning, this is Helen." "The old dog walked to the river." "We will meet again on Sunday."; do
  number=$((number + 1))
  printf "%s\n" "$text" >recordings/$number.txt
  $kani say -m models/kani-mini -s 1 -o recordings/$number.wav "$text"
done
$kani data build recordings --model models/kani-mini --language en --language-tags --speaker me --out set
$kani train --model models/kani-mini/lm --data set --out trained --steps 4 --set pack_length=2048 --export my-model
$kani say -m my-model --codec models/kani-mini/codec.nemo -o mine.wav "Good morning, this is Helen."
ls -l mine.wav'

# Everything below happens in a mount and process namespace of its own: what it mounts and starts ends with it.
if [ -z "${KANI_TRY_FRESH_INSIDE-}" ]; then
  $as_user && steps=(--user "${steps[@]}")
  $keep && steps=(--keep "${steps[@]}")
  KANI_TRY_FRESH_INSIDE=1 exec unshare --mount --pid --fork --kill-child --propagation private \
    "$repo/tools/try_fresh.sh" --suite "$suite" "${steps[@]}"
fi

# The mirror is the one that apt uses here for the suite's main packages.
mirror=$(apt-get indextargets --format '$(CREATED_BY) $(CODENAME) $(COMPONENT) $(REPO_URI)' |
  awk -v suite="$suite" '$1 == "Packages" && $2 == suite && $3 == "main" {print $4; exit}')
[ -n "$mirror" ] || { printf 'try_fresh: apt has no source for %s; run apt-get update\n' "$suite" >&2 && exit 1; }
eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
if [ -n "${http_proxy-}" ]; then export http_proxy; fi
if [ -n "${https_proxy-}" ]; then export https_proxy; fi

base=${TMPDIR:-/var/tmp}
root=$(mktemp -d "$base/kani-fresh.XXXXXX")
cleanup() {
  umount -R "$root/proc" "$root/dev" 2>/dev/null || true
  if $keep; then printf 'kept: %s\n' "$root"; else rm -rf --one-file-system "$root"; fi
}
trap cleanup EXIT

said=$(date +%s)
lap() {
  local now
  now=$(date +%s)
  printf '== %s: %d s\n' "$1" $((now - said))
  said=$(date +%s)
}

printf '== debootstrap %s\n' "$suite"
debootstrap --variant=minbase --include=git,ca-certificates "$suite" "$root" "$mirror" >"$base/kani-fresh.log" 2>&1 ||
  { tail -n 20 "$base/kani-fresh.log" && exit 1; }
rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
# The distribution's own sources with keys and settings; others are not a stranger's.
mkdir -p "$root/usr/share/keyrings" "$root/etc/apt/auth.conf.d"
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
  if [ -f "$file" ] && grep -qF "${mirror%/}" "$file"; then cp "$file" "$root$file"; fi
done
cp -r /etc/apt/apt.conf.d /etc/apt/preferences.d /etc/apt/auth.conf.d "$root/etc/apt/"
cp -n /usr/share/keyrings/* "$root/usr/share/keyrings/" 2>/dev/null || true
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" && chmod +x "$root/usr/sbin/policy-rc.d"
who=(env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin CI=true)
[ -z "${http_proxy-}" ] || who+=("http_proxy=$http_proxy")
[ -z "${https_proxy-}" ] || who+=("https_proxy=$https_proxy")
if $as_user; then
  chroot "$root" "${who[@]}" sh -c 'apt-get -qq update && apt-get -qq -y --no-install-recommends install sudo &&
    useradd -m kani && echo "kani ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/kani' >>"$base/kani-fresh.log" 2>&1
  chroot "$root" apt-get clean && rm -rf "$root"/var/lib/apt/lists/*
  who+=(HOME=/home/kani setpriv --reuid kani --regid kani --init-groups)
fi
lap 'bare system'

# A stranger's clone comes over the network: no links to our objects.
git clone -q --no-local "$repo" "$root/srv/kani"
if $as_user; then chroot "$root" chown -R kani:kani /srv/kani; fi
lap 'git clone'
failed=0
for step in "${steps[@]}"; do
  case $step in
    run) command=(./run 'Hello, I am Kani.') ;;
    train) command=(bash -c "$train_own") ;;
    check) command=(bash .ci/run) ;;
  esac
  for time in first second; do
    chroot "$root" "${who[@]}" sh -c 'cd /srv/kani && exec "$@"' sh "${command[@]}" </dev/null ||
      { failed=1 && printf '== %s FAILED\n' "$step"; }
    lap "$step, $time time"
    [ "$step" = run ] || break  # the others are long and a second run proves little
  done
  if [ "$step" = run ]; then ls -l "$root/srv/kani/hello.wav" || failed=1; fi
done
exit $failed
