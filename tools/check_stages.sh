# check_stages.sh - the stages of ./check: what each proves and how.  Sourced by check, which runs, times and counts them.
# A stage is a function stage_NAME beside about_NAME; it reports through `one`, `tally` and `skip` and goes on after a
# failure where that makes sense.  A thing that cannot be tried is skipped aloud, never passed.

# record PASSED FAILED SKIPPED: adds to the counts of the stage that runs.
record() { printf '%d %d %d\n' "$1" "$2" "$3" >>"$counts"; }

# skip REASON: counts one skipped check; check prints the reason beside the stage.
skip() {
  printf 'SKIPPED: %s\n' "$*"
  record 0 0 1
}

# tally_two LINE…: command lines that count as tally's do, two at a time, for those that alone keep one core busy.  What
# each prints is kept together.
tally_two() {
  export -f tally record
  export counts
  printf '%s\n' "$@" | xargs -d '\n' -P 2 -I{} bash -o pipefail -c '
    said=$(mktemp) start=$SECONDS
    printf "begins: %s\n" "$1"
    tally bash -c "$1" >"$said" 2>&1
    status=$?
    { flock 9 && cat "$said" && printf "%s: %d s\n" "$1" $((SECONDS - start)); } 9>"$counts.lock"
    rm -f "$said"
    exit $((status != 0))' tally_two {}
}

# one LABEL COMMAND…: one check that passes if COMMAND does.
one() {
  local label=$1
  shift
  if "$@"; then
    printf 'passed: %s\n' "$label"
    record 1 0 0
  else
    printf 'FAILED: %s\n' "$label"
    record 0 1 0
    return 1
  fi
}

# tally COMMAND…: COMMAND counts for itself; its last line "…: N passed, N failed, N skipped" is added.  A bad end
# without a failure in that line, or no such line, is one failure.
tally() {
  local output status line
  output=$(mktemp)
  "$@" 2>&1 | tee "$output"
  status=$?
  line=$(grep -E '[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$output" | tail -n 1)
  rm -f "$output"
  if [[ $line =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    record "${BASH_REMATCH[@]:1}"
    if [ $status -ne 0 ] && [ "${BASH_REMATCH[2]}" -eq 0 ]; then
      printf 'FAILED: status %d although nothing failed: %s\n' $status "$*"
      record 0 1 0
    fi
  else
    printf 'FAILED: no count in the output of: %s\n' "$*"
    record 0 1 0
  fi
  return $status
}

# have TOOL…: true if all are installed; else the stage's check is skipped.
have() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || { skip "$tool is not installed" && return 1; }
  done
}

# build PRESET [TARGET…]: configures if needed and builds; a failure counts.  Ninja goes on after an error so that the
# log shows all of them.
build() {
  local preset=$1 targets=()
  shift
  [ $# -eq 0 ] || targets=(--target "$@")
  cmake --preset "$preset" >"$out/configure-$preset.log" 2>&1 ||
    { cat "$out/configure-$preset.log" && one "configure $preset" false; } || return 1
  NINJA_STATUS="[%f/%t] $preset " cmake --build "build/$preset" "${targets[@]}" -- -k 20 ||
    one "build $preset" false
}

# run_tests PRESET [CTEST ARGUMENT…]: the unit and parity tests of a build, counted one by one; `launcher` may hold a
# command that starts them.
launcher=()
run_tests() {
  local preset=$1 reports=$out/tests-$1
  shift
  rm -rf "$reports"
  mkdir -p "$reports"
  GTEST_OUTPUT=json:$reports/ "${launcher[@]}" ctest --test-dir "build/$preset" --output-on-failure --timeout 900 -j "$(nproc)" \
    --label-exclude journey --output-junit "$reports/ctest.xml" "$@"
  tally tools/count_tests.py "$reports/ctest.xml" "$reports"
}

# run_stage NAME: the stage's status is bad if it ended badly or counted a failure anywhere.
run_stage() {
  "stage_$1" || return
  ! awk '$2 > 0 {found = 1} END {exit !found}' "$counts"
}

about_format() { printf 'clang-format-14 and the rules of tools/check_files.py'; }
stage_format() {
  one 'rules of files' tools/check_files.py
  have clang-format-14 || return 0
  git ls-files -z --cached --others --exclude-standard '*.cc' '*.h' '*.c' '*.cu' '*.cuh' |
    one 'clang-format' xargs -0 -r clang-format-14 --dry-run -Werror
}

about_includes() { printf 'the table of ARCHITECTURE.md against every include'; }
stage_includes() { one 'includes' tools/check_includes.py; }

# build_ci: the build that users get, with tests and the trainer.  What was built before costs a second.
build_ci() {
  one 'Arrow' tools/arrow.sh && one 'LibTorch' tools/libtorch.sh && build ci
}

about_unit() { printf 'g++ with warnings as errors; unit and parity tests'; }
stage_unit() {
  build_ci || return
  one 'g++ without warnings' true
  export OMP_WAIT_POLICY=passive  # threads that wait must not take the cores from those that work
  rm -rf "$out/train-data"
  KANI_KEEP_TRAIN_DATA=$out/train-data run_tests ci
}

about_kernels() { printf 'objects for one instruction set show one data table'; }
stage_kernels() {
  build_ci || return
  if compgen -G 'src/kani/backend/cpu/kernels/*.cc' >/dev/null; then
    tally tools/check_kernel_symbols.py build/ci
  else
    skip 'there are no kernels'
  fi
}

about_journeys() { printf 'the programs as a person uses them; kani-tool against the reference data; cloned voices and words by ear'; }
stage_journeys() {
  build_ci || return
  one 'the recognizer' tools/recognizer.sh
  tally_two 'tests/journeys/run --bin build/ci/bin' 'tests/parity/run --bin build/ci/bin' 'tests/ear/run --bin build/ci/bin' \
    'tests/ear/words --bin build/ci/bin'
}

# journeys PRESET [ARGUMENT…]: tests/journeys against the programs of a build.
journeys() {
  local preset=$1
  shift
  tally tests/journeys/run --bin "build/$preset/bin" "$@"
}

about_headers() { printf 'g++ without precompiled headers: every file includes what it needs; all tests with assertions'; }
stage_headers() {
  one 'Arrow' tools/arrow.sh
  build dev || return
  one 'g++ without precompiled headers' true
  run_tests dev
}

sanitizer_options() {
  export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1
  export UBSAN_OPTIONS=print_stacktrace=1
}

about_hostile() { printf 'what reads untrusted bytes, with clang, address + undefined: unit tests, every seed of the fuzz targets'; }
stage_hostile() {
  local name folders=(base formats spec audio text tokens) targets=()
  have clang++-14 || return 0
  for name in "${folders[@]}"; do targets+=("kani_${name}_test"); done
  for name in fuzz/*_fuzz.cc; do targets+=("$(basename "$name" .cc)"); done
  build fuzz "${targets[@]}" || return
  one 'clang without warnings' true
  sanitizer_options
  # A minute of sound that is ours already; the stage "sanitizers" has it.
  GTEST_FILTER='-TimeStretcher.*' \
    run_tests fuzz --tests-regex "^($(IFS='|' && printf '%s' "${folders[*]}"))$"
  tally tools/fuzz.sh --seconds 2 --jobs "$(nproc)"
}

about_sanitizers() { printf 'clang with warnings as errors; all tests and quick journeys, the trainer with g++, address + undefined'; }
stage_sanitizers() {
  have clang++-14 || return 0
  build fuzz || return
  one 'clang without warnings' true
  sanitizer_options
  # Models of the real width run on the best instruction set alone here; the stage "unit" runs them on all.
  GTEST_FILTER='-*full_width*/scalar:*full_width*/avx2' run_tests fuzz
  journeys fuzz --quick
  sanitized_trainer
}

# sanitized_trainer: LibTorch itself is not made of sanitized objects, so what crosses its border in containers is not
# watched, nor what it keeps for ever.
sanitized_trainer() {
  local data=$out/train-data-sanitized
  one 'LibTorch' tools/libtorch.sh && build train-asan kani_train_test kani_train_codec_test kani_train_speaker_test kani-train ||
    return
  export ASAN_OPTIONS=$ASAN_OPTIONS:detect_container_overflow=0:detect_leaks=0 OMP_WAIT_POLICY=passive
  rm -rf "$data"
  KANI_KEEP_TRAIN_DATA=$data run_tests train-asan --tests-regex '^train'
  tally tests/train/kills --bin build/train-asan/bin --data "$data" --kills 3
}

about_threads() { printf 'thread pool, backend and engine tests under the thread sanitizer'; }
stage_threads() {
  local name targets=()
  cmake --preset tsan >/dev/null || { one 'configure tsan' false && return; }
  for name in base backend backend_cpu engine; do
    if ninja -C build/tsan -t query "kani_${name}_test" >/dev/null 2>&1; then targets+=("kani_${name}_test"); fi
  done
  [[ " ${targets[*]} " == *" kani_engine_test "* ]] || skip 'there are no engine tests'
  build tsan "${targets[@]}" || return
  # The sanitizer's memory map collides with strongly randomized addresses of new kernels.
  if setarch "$(uname -m)" -R true 2>/dev/null; then launcher=(setarch "$(uname -m)" -R); fi
  export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
  run_tests tsan --tests-regex '^(base|backend|backend_cpu|engine)$'
}

about_fuzz() { printf 'every fuzz target: its seeds, then KANI_FUZZ_SECONDS each'; }
stage_fuzz() {
  have clang++-14 || return 0
  build fuzz || return
  if ! compgen -G 'fuzz/*_fuzz.cc' >/dev/null; then skip 'there are no fuzz targets' && return 0; fi
  tally tools/fuzz.sh --seconds "$fuzz_seconds" --jobs "$(nproc)"
}

about_arm() { printf 'cross build for 64-bit ARM; unit tests and reference data under qemu-user, and the program speaks'; }
stage_arm() {
  local name left_out targets=(kani)
  # Not built: what works on strings alone (text), what the program itself shows (engine, cli), kani-tool, libkani.so.
  local folders=(base quant backend formats spec tokens audio lm codec speaker)
  have aarch64-linux-gnu-g++ qemu-aarch64 || return 0
  if ! tools/arm64_root.sh; then
    skip 'no arm64 libraries in the package sources of this system: kernels alone are tried'
    stage_arm_kernels
    return
  fi
  for name in "${folders[@]}"; do targets+=("kani_${name}_test"); done
  build aarch64 "${targets[@]}" || return
  # Emulated code is 10 to 30 times slower.  Left out are: models on the plain loops (backend tests hold NEON against
  # them), models of the real width and an hour of sound (minutes each), files broken at every place, every rate of the
  # codecs of others, and the failing start of a program, which posix_spawn cannot report where vfork is a fork
  # (qemu-user).
  left_out=(
    'Cases/Lfm2Golden.*_scalar' 'Isas/*Golden.*/scalar' 'Isas/*Threads.*/scalar'
    '*full_width*' 'StreamingEncoderMemory.*' 'Isas/SpeakerGolden.reduced_products*'
    'TokenizerFile.broken_merges*' 'TokenizerFile.too_many*' 'TokenizerFile.cut_files*' 'TokenizerFile.broken_added*'
    'SoundCodec.every_rate*' 'SoundReader.cut_files*'
    'PlayerTest.a_program_that_cannot_run_is_reported'
  )
  GTEST_FILTER="-$(IFS=: && printf '%s' "${left_out[*]}")" run_tests aarch64 \
    --tests-regex "^($(IFS='|' && printf '%s' "${folders[*]}"))$"
  one 'kani speaks' arm_speaks
}

# arm_speaks: a word from the program; its tokens may differ from those of another processor by rounding, so only the
# length is judged.
arm_speaks() {
  local wav=$out/arm.wav
  rm -f "$wav"
  qemu-aarch64 -L build/arm64-root build/aarch64/bin/kani say --model models/kani-mini --seed 1 -o "$wav" -- 'Hello.' &&
    python3 -c '
import sys, wave
with wave.open(sys.argv[1]) as sound:
    seconds = sound.getnframes() / sound.getframerate()
    loud = any(sound.readframes(sound.getnframes()))
print(f"{seconds:.2f} s of sound")
sys.exit(not (loud and 0.4 < seconds < 3))' "$wav"
}

# stage_arm_kernels: what needs no libraries of the other architecture.
stage_arm_kernels() {
  if [ ! -d /usr/src/googletest ]; then skip 'the sources of googletest are not installed' && return 0; fi
  build aarch64-kernels || return
  run_tests aarch64-kernels
}

about_package() { printf 'installed tree: program, CMake package, pkg-config, examples'; }
stage_package() {
  build_ci || return
  tally tools/check_package.sh build/ci "$out/prefix"
}

about_instructions() { printf 'instructions of fixed workloads against bench/callgrind-baseline.json'; }
stage_instructions() {
  have valgrind || return 0
  build_ci && build ci engine_bench || return
  tally tools/check_instructions.py --bin build/ci/bin
}

# train_cuda_speaks: the program with CUDA starts, and says what is missing where there is no GPU.
train_cuda_speaks() {
  local text
  if [ -e /dev/nvidiactl ]; then build/train-cuda/bin/kani-train --help >/dev/null; return; fi
  text=$(build/train-cuda/bin/kani-train --model models/kani-mini/lm --data none --out none --steps 1 --set device=cuda 2>&1)
  [[ $text == *'no GPU is found'* ]] || { printf '%s\n' "$text" && return 1; }
}

about_train() { printf 'the trainer: CUDA kernels compile, runs that are killed and go on, several processes, from recordings to speech'; }
stage_train() {
  export OMP_WAIT_POLICY=passive  # threads that wait must not take the cores from those that work
  local data=$out/train-data
  build_ci || return
  if tools/cuda_compiler.sh; then
    cmake --preset ci >/dev/null && build ci kani_cuda_kernels && one 'CUDA kernels compile' true
  else
    skip 'there is no CUDA compiler and none can be had'
  fi
  if [ -e build/libtorch-cuda/version ]; then
    build train-cuda kani-train && one 'the trainer links with CUDA' train_cuda_speaks
  else
    skip 'the trainer with CUDA: tools/libtorch.sh --cuda was not run'
  fi
  if [ ! -d "$data" ]; then KANI_KEEP_TRAIN_DATA=$data run_tests ci --tests-regex '^train$'; fi
  # The long ones first, or one of them runs alone at the end.
  tally_two 'tests/train/loop --bin build/ci/bin' 'tests/train/recipe --bin build/ci/bin' \
    "tests/train/kills --bin build/ci/bin --data '$data' --kills $train_kills" \
    "tests/train/faults --bin build/ci/bin --data '$data' --points $train_faults" \
    "tests/train/logs --bin build/ci/bin --data '$data'" \
    "tests/train/ranks --bin build/ci/bin --data '$data'" \
    'tests/train/codec --bin build/ci/bin' 'tests/train/speaker --bin build/ci/bin' \
    "tests/train/parity --bin build/ci/bin --data '$data'"
  one 'parts of the recipe of kani-mini' recipes/kani-mini/recipe_test.py
}
