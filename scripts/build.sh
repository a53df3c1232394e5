# To be sourced, from the top of the source tree: the build trees and how they are configured.
#   build/       what ./up mounts and most tests run: g++, optimised
#   build/asan/  clang with ASan and UBSan, and the fuzzers
#   build/tsan/  clang with TSan
# shellcheck shell=bash

configure_product() {
  configure_tree build -DCMAKE_BUILD_TYPE=RelWithDebInfo
}

configure_asan() {
  configure_sanitized build/asan -DNACRE_SANITIZE=address,undefined -DNACRE_FUZZERS=ON
}

configure_tsan() {
  configure_sanitized build/tsan -DNACRE_SANITIZE=thread
}

# Optimised a little: sanitizers are slow enough. Line numbers are all that their reports need.
configure_sanitized() {
  configure_tree "$@" -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_BUILD_TYPE=Debug \
    "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1"
}

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
  cmake --fresh -S . -B "$tree" -G Ninja -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "$@" &&
    echo "$wanted" >"$tree/configured-as"
}

# build_tree DIRECTORY [TARGET...]
#
# One build at a time in a directory. Targets that no folder defines (yet) are left out.
build_tree() {
  local tree=$1 target known targets=()
  shift
  if [ $# -gt 0 ]; then
    known=$(ninja -C "$tree" -t targets all | cut -d: -f1)
    for target in "$@"; do
      if grep -qxF -- "$target" <<<"$known"; then
        targets+=(--target "$target")
      else
        echo "$tree has no target $target"
      fi
    done
    [ ${#targets[@]} -gt 0 ] || return 0
  fi
  flock "$tree/configured-as" cmake --build "$tree" "${targets[@]}"
}
