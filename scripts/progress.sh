# To be sourced: runs long commands quietly, with a sign of life and their words in a file.
# shellcheck shell=bash

# How many lines of a failed command's log are shown.
progress_tail_lines=${progress_tail_lines:-40}

# run_logged TITLE LOG COMMAND...
#
# Runs the command with its output in LOG. Shows how it goes: on a terminal in one line that changes,
# else with a line every 30 seconds. A failure shows the end of the log. Returns the command's status.
run_logged() {
  local title=$1 log=$2 began=$SECONDS status=0 watcher
  shift 2
  mkdir -p "$(dirname "$log")"
  : >"$log"
  progress_watch "$title" "$log" "$$" &
  watcher=$!
  # In the foreground, so that ^C reaches it.
  "$@" </dev/null >"$log" 2>&1 || status=$?
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  progress_clear
  if [ "$status" -eq 0 ]; then
    printf '  %-10s ok      %4d s\n' "$title" $((SECONDS - began))
    return 0
  fi
  printf '  %-10s FAILED  %4d s   all of it: %s\n' "$title" $((SECONDS - began)) "$log"
  progress_tail "$log"
  return "$status"
}

progress_tail() {
  echo "  --- the end of $1"
  tail -n "$progress_tail_lines" "$1" | sed 's/^/  | /'
  echo "  ---"
}

# Ends a second after the process `parent` at the latest. Waits by `read`, not by a child that would
# outlive it and keep our output open.
progress_watch() {
  local title=$1 log=$2 parent=$3 began=$SECONDS period=30 shown=$SECONDS never last
  [ ! -t 1 ] || period=1
  exec {never}<> <(:)
  while kill -0 "$parent" 2>/dev/null; do
    read -r -t 1 -u "$never" || true
    [ $((SECONDS - shown)) -ge "$period" ] || continue
    shown=$SECONDS
    last=$(progress_last_line "$log")
    if [ -t 1 ]; then
      printf '\r\033[K  %-10s %4d s   %.*s' "$title" $((SECONDS - began)) $((${COLUMNS:-80} - 26)) "$last"
    else
      printf '  %-10s running %4d s   %.90s\n' "$title" $((SECONDS - began)) "$last"
    fi
  done
}

progress_last_line() {
  tail -c 2000 "$1" | tr '\r' '\n' | tr -cd '[:print:]\n' | { grep -v '^[[:space:]]*$' || true; } |
    tail -n 1
}

progress_clear() {
  [ ! -t 1 ] || printf '\r\033[K'
}
