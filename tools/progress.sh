# progress.sh - runs long commands quietly but not silently: output goes to a log file, the terminal shows the label,
# the seconds and the log's last line; without a terminal a line appears now and then.  Sourced by run, check and
# packages.sh.  Not here: what to run.

# last_line FILE: the last non-empty line of FILE, control sequences removed, cut to 70 characters.
last_line() {
  tail -c 2000 "$1" 2>/dev/null | tr '\r' '\n' | sed -e $'s/\x1b\\[[0-9;?]*[A-Za-z]//g' -e '/^[[:space:]]*$/d' |
    tail -n 1 | cut -c 1-70
}

# logged LABEL LOG COMMAND…: appends COMMAND's output to LOG and returns its status; a failure shows the log's end.
logged() {
  local label=$1 log=$2 start=$SECONDS said=0 pid status
  shift 2
  printf '+ %s\n' "$*" >>"$log"
  # A process group of its own, so that an interrupt ends the command with all that it started.
  set -m
  "$@" >>"$log" 2>&1 </dev/null &
  pid=$!
  set +m
  trap 'kill -TERM -- "-$pid" 2>/dev/null; wait "$pid"; printf "\n%s: interrupted\n" "$label" >&2; exit 130' INT TERM
  if [ ! -t 2 ]; then printf '%s …\n' "$label" >&2; fi
  while kill -0 "$pid" 2>/dev/null; do
    local passed=$((SECONDS - start))
    if [ -t 2 ]; then
      printf '\r\033[K%s … %d s  %s' "$label" "$passed" "$(last_line "$log")" >&2
    elif [ $((passed - said)) -ge 30 ]; then
      said=$passed
      printf '  %s … %d s  %s\n' "$label" "$passed" "$(last_line "$log")" >&2
    fi
    if [ $passed -lt 2 ]; then sleep 0.05; else sleep 0.5; fi
  done
  wait "$pid"
  status=$?
  trap - INT TERM
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
  if [ $status -eq 0 ]; then
    printf '%s: done in %d s\n' "$label" $((SECONDS - start)) >&2
  else
    printf '%s: failed with status %d after %d s; the end of %s:\n' "$label" $status $((SECONDS - start)) "$log" >&2
    tail -n "${log_tail:-40}" "$log" | sed 's/^/  | /' >&2
  fi
  return $status
}
