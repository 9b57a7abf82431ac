#!/usr/bin/env bash
# check_package.sh - installs a build into an empty prefix and uses it as another project would: programs, headers,
# shared library, CMake package, pkg-config file, the examples.
# usage: tools/check_package.sh BUILD_DIR PREFIX     its last line is "package: N passed, N failed, N skipped"
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
build=$(realpath "$1")
mkdir -p "$2" && prefix=$(realpath "$2")
work=$prefix.work
passed=0 failed=0
export KANI_MODEL=$prefix/share/kani/models/kani-mini

# one LABEL COMMAND…: one check.
one() {
  local label=$1
  shift
  if "$@"; then
    passed=$((passed + 1)) && printf 'passed: %s\n' "$label"
  else
    failed=$((failed + 1)) && printf 'FAILED: %s\n' "$label"
  fi
}

is_wave() { [ "$(head -c 4 "$1" 2>/dev/null)" = RIFF ] && [ "$(stat -c %s "$1")" -gt 10000 ]; }

# The C interface and nothing else of C; of C++ only our namespace.
only_our_symbols() {
  local others
  others=$(nm -D -C --defined-only "$library" | awk '{$1 = $2 = ""; print substr($0, 3)}' |
    grep -vE '^(kani_[a-z_]+@@KANI_1|(typeinfo( name)? for |vtable for |guard variable for )?kani::.*|KANI_(1|CXX))$')
  [ -z "$others" ] || { printf 'shown besides:\n%s\n' "$others" && return 1; }
}

# Every installed header alone, as C++; those of C as C11 too.
headers_stand_alone() {
  local header status=0
  while IFS= read -r header; do
    printf '#include "%s"\n' "${header#"$prefix/include/"}" >"$work/alone.cc"
    g++ -std=c++20 -Wall -Wextra -Werror -fsyntax-only -I"$prefix/include" "$work/alone.cc" || status=1
  done < <(find "$prefix/include" -name '*.h')
  printf '#include "kani/c.h"\n' >"$work/alone.c"
  gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$prefix/include" "$work/alone.c" || status=1
  return $status
}

by_cmake() {
  cmake -S examples -B "$work/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release &&
    cmake --build "$work/cmake"
}

# shellcheck disable=SC2046  # pkg-config prints words
by_pkg_config() {
  export PKG_CONFIG_PATH=$prefix/$libdir/pkgconfig
  g++ -std=c++20 -Wall -Wextra -Werror examples/hello.cc -o "$work/pc_hello_cc" $(pkg-config --cflags --libs kani) &&
    gcc -std=c11 -Wall -Wextra -Werror examples/hello.c -o "$work/pc_hello_c" $(pkg-config --cflags --libs kani)
}

# speaks PROGRAM [ARGUMENT…]: runs it in an empty folder; it must leave a sound file.
speaks() {
  rm -rf "$work/speaks" && mkdir "$work/speaks" && cd "$work/speaks" || return 1
  LD_LIBRARY_PATH=$prefix/$libdir "$@" </dev/null
  local status=$? file
  file=$(find . -name '*.wav' | head -n 1)
  cd "$OLDPWD" || return 1
  [ $status -eq 0 ] && [ -n "$file" ] && is_wave "$work/speaks/$file"
}

# makes_a_voice PROGRAM: from a recording, in an empty folder.
makes_a_voice() {
  local recording=$PWD/tests/data/speaker/audio/female_22k.wav
  rm -rf "$work/voice" && mkdir "$work/voice" && cd "$work/voice" || return 1
  LD_LIBRARY_PATH=$prefix/$libdir "$1" "$recording"
  local status=$?
  cd "$OLDPWD" || return 1
  [ $status -eq 0 ] && [ -s "$work/voice/voice.safetensors" ]
}

rm -rf "$prefix" "$work"
mkdir -p "$prefix" "$work"
if ! cmake --install "$build" --prefix "$prefix" >"$work/install.log" 2>&1; then
  tail -n 20 "$work/install.log"
  printf 'package: 0 passed, 1 failed, 0 skipped\n'
  exit 1
fi
libdir=$(cd "$prefix" && dirname "$(find lib* -name libkani.so)")
library=$prefix/$libdir/libkani.so

for file in bin/kani "$libdir/libkani.so.0" "$libdir/cmake/kani/kani-config.cmake" "$libdir/pkgconfig/kani.pc" \
  include/kani/kani.h include/kani/voice.h include/kani/c.h share/man/man1/kani.1 share/kani/models/kani-mini/codec.nemo \
  share/bash-completion/completions/kani share/zsh/site-functions/_kani share/fish/vendor_completions.d/kani.fish \
  share/doc/kani/LICENSE; do
  one "installed: $file" test -s "$prefix/$file"
done
one 'soname is libkani.so.0' grep -q 'SONAME.*\[libkani.so.0\]' <(readelf -d "$library")
one 'the library shows only our symbols' only_our_symbols
one 'addresses are resolved at start, then read-only' grep -q 'BIND_NOW\|FLAGS.*NOW' <(readelf -d "$prefix/bin/kani")
one 'the program is position-independent' grep -q 'DYN' <(readelf -h "$prefix/bin/kani")
one 'headers stand alone' headers_stand_alone
one 'examples build with the CMake package' by_cmake
one 'examples build with pkg-config' by_pkg_config
one 'hello.cc speaks' speaks "$work/cmake/hello_cc"
one 'hello.c speaks' speaks "$work/cmake/hello_c"
one 'voice.cc makes a voice' makes_a_voice "$work/cmake/voice_cc"
one 'kani data is the installed kani-data' grep -q '^kani-data: ' <("$prefix/bin/kani" data --help)
unset KANI_MODEL
one 'the installed program speaks with the installed model' \
  speaks "$prefix/bin/kani" say -o installed.wav 'Hello from the installed program.'
printf 'package: %d passed, %d failed, 0 skipped\n' $passed $failed
[ $failed -eq 0 ]
