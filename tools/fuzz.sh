#!/usr/bin/env bash
# fuzz.sh - runs every fuzz target: first its seeds, one by one, then SECONDS of fuzzing, JOBS targets at a time.  Finds
# stay in build/fuzz/finds, grown corpora in build/fuzz/corpus (the next run starts from them).
# Last line: "fuzz: N passed, N failed, N skipped"; each target counts twice, seeds and fuzzing.
# Targets are those of fuzz/*_fuzz.cc, so one that the build forgot is a failure.
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
bin=build/fuzz/bin
seconds=60
jobs=2
names=()
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=$2 && shift ;;
    --jobs) jobs=$2 && shift ;;
    -*) printf 'usage: tools/fuzz.sh [--seconds N] [--jobs N] [TARGET…]\n' >&2 && exit 2 ;;
    *) names+=("$1") ;;
  esac
  shift
done
if [ ${#names[@]} -eq 0 ]; then
  for source in fuzz/*_fuzz.cc; do
    [ -e "$source" ] && names+=("$(basename "$source" _fuzz.cc)")
  done
fi
finds=build/fuzz/finds
state=build/fuzz/state
rm -rf "$state"
mkdir -p "$finds" "$state"
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

# One target; writes "passed failed" to its state file and its own words to its log.
fuzz_one() {
  local name=$1 program=$bin/${1}_fuzz seeds=fuzz/corpus/$1 log=$state/$1.log
  local limits=(-rss_limit_mb=2048 -timeout=25 "-artifact_prefix=$finds/$name-")
  if [ ! -x "$program" ]; then
    printf '%s: the build made no %s\n' "$name" "$program" >"$log"
    printf '0 2\n' >"$state/$name.count"
    return
  fi
  if [ -z "$(ls "$seeds" 2>/dev/null)" ]; then
    printf '%s: no seeds in %s\n' "$name" "$seeds" >"$log"
    printf '0 2\n' >"$state/$name.count"
    return
  fi
  local passed=0 failed=0
  if "$program" "${limits[@]}" "$seeds"/* >"$log" 2>&1; then passed=1; else failed=1; fi
  mkdir -p "build/fuzz/corpus/$name"
  if "$program" "${limits[@]}" -max_total_time="$seconds" -print_final_stats=1 "build/fuzz/corpus/$name" "$seeds" \
    >>"$log" 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  printf '%d %d\n' $passed $failed >"$state/$name.count"
}

for name in "${names[@]}"; do
  while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
  fuzz_one "$name" &
done
wait

passed=0 failed=0
for name in "${names[@]}"; do
  read -r p f 2>/dev/null <"$state/$name.count" || { p=0 && f=2; }
  passed=$((passed + p)) failed=$((failed + f))
  printf '%s: %d passed, %d failed; %s\n' "$name" "$p" "$f" \
    "$(sed -n 's/^stat::number_of_executed_units: */runs /p; s/^stat::peak_rss_mb: */MiB /p' "$state/$name.log" | paste -sd' ')"
  if [ "$f" -ne 0 ]; then tail -n 60 "$state/$name.log"; fi
done
printf 'fuzz: %d passed, %d failed, 0 skipped\n' $passed $failed
[ $failed -eq 0 ]
