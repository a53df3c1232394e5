# To be sourced: configures and builds a tree. progress.sh must be there already.
# shellcheck shell=bash

# configure_tree DIRECTORY [CMAKE ARGUMENT...]
#
# With Ninja and ccache. Quick when the directory is configured that way already: later changes of the
# lists of files are noticed by the build itself.
configure_tree() {
  local tree=$1 wanted
  shift
  wanted="$PWD $*"
  if [ -f "$tree/build.ninja" ] && [ "$(cat "$tree/configured-as" 2>/dev/null)" = "$wanted" ]; then
    return 0
  fi
  # --fresh forgets a cache that another source tree, generator or compiler left behind.
  cmake --fresh -S . -B "$tree" -G Ninja -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "$@"
  echo "$wanted" >"$tree/configured-as"
}

# build_tree DIRECTORY TARGET... ; targets that no folder has defined yet are left out.
build_tree() {
  local tree=$1 target known targets=()
  shift
  known=$(ninja -C "$tree" -t targets all | cut -d: -f1)
  for target in "$@"; do
    if grep -qxF -- "$target" <<<"$known"; then
      targets+=("$target")
    else
      echo "no target $target in $tree"
    fi
  done
  [ ${#targets[@]} -gt 0 ] || return 0
  cmake --build "$tree" --target "${targets[@]}"
}
