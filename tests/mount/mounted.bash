# A volume of its own, mounted for one suite: sourced by the suites of this folder.
#
# Gives: nacre (the binary), fsx, work (a scratch directory), volume, mnt; functions below. What is mounted is
# unmounted and what is made is removed when the suite ends, however it ends.
set -euo pipefail

nacre=$1
fsx=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/nacre-test.XXXXXX")
volume=$work/volume
mnt=$work/mnt
passed=0
failed=0

cleanup() {
  cd /
  if mountpoint -q "$mnt"; then "$nacre" unmount "$mnt" || umount -l "$mnt"; fi
  rm -rf "$work"
}
trap cleanup EXIT

make_volume() {
  "$nacre" volume create "$volume" "$@"
  mkdir -p "$mnt"
}
mount_volume() { "$nacre" mount "$volume" "$mnt" "$@"; }
unmount_volume() { "$nacre" unmount "$mnt"; }
remount() {
  unmount_volume
  mount_volume "$@"
}

# check NAME COMMAND...: one test; its output is shown when it fails.
check() {
  local name=$1
  shift
  if (set -e; "$@") >"$work/output" 2>&1; then
    passed=$((passed + 1))
    echo "ok - $name"
  else
    failed=$((failed + 1))
    echo "not ok - $name"
    tail -40 "$work/output" | sed 's/^/    /'
  fi
}

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
