#!/usr/bin/env bash
# arm64_root.sh - makes build/arm64-root: the libraries that the cross build for 64-bit ARM links and runs with, taken
# from this system's own package sources and unpacked there, not installed.
# Nothing of the system changes and root is not needed: apt-get works on an empty list of installed packages of its own,
# for the other architecture alone.  (`dpkg --add-architecture` would change the machine of whoever tries ./check.)
# Status 1 and a message where the sources have no arm64 packages, as those of Ubuntu on a PC.  Nothing happens if the
# folder is there and holds what tools/packages.sh asks for.
set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/packages.sh
root=$PWD/build/arm64-root
wanted=$(printf '%s\n' "${arm64_packages[@]}")
if [ -f "$root/packages" ] && [ "$(cat "$root/packages")" = "$wanted" ]; then exit 0; fi

for tool in apt-get dpkg-deb; do
  command -v $tool >/dev/null || { printf 'arm64_root: this system has no %s\n' $tool >&2 && exit 1; }
done
work=$root.new
rm -rf "$work"
mkdir -p "$work/root" "$work/apt/lists/partial" "$work/apt/archives/partial"
trap 'rm -rf "$work"' EXIT
: >"$work/apt/status"
# APT::Sandbox::User: apt's own user may not be able to read this folder.
apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -o APT::Architecture=arm64 -o APT::Architectures=arm64
  -o "Dir::State=$work/apt" -o "Dir::State::lists=$work/apt/lists" -o "Dir::State::status=$work/apt/status"
  -o "Dir::Cache=$work/apt" -o "Dir::Cache::archives=$work/apt/archives" -o "APT::Sandbox::User=$(id -un)"
  -o Acquire::Languages=none -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
# A foreign source without this architecture must not stop us; if ours lack it the next step says so.
"${apt[@]}" update || printf 'arm64_root: some package lists are missing\n' >&2
"${apt[@]}" install --no-install-recommends --download-only "${arm64_packages[@]}" ||
  { printf 'arm64_root: the package sources of this system do not give the arm64 packages\n' >&2 && exit 1; }
for file in "$work"/apt/archives/*.deb; do dpkg-deb --extract "$file" "$work/root"; done

# Links to absolute paths would lead out of the folder.
find "$work/root" -type l -lname '/*' -print0 | while IFS= read -r -d '' link; do
  ln -sfnr "$work/root$(readlink "$link")" "$link"
done
printf '%s\n' "$wanted" >"$work/root/packages"
rm -rf "$root"
mv "$work/root" "$root"
