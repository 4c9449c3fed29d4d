# shellcheck shell=bash
# What the launcher and test.sh share; they set $root, the repository's folder, first.
# Everything here prints to stderr: stdout belongs to the program that runs afterwards.

preset=${VITRINE_BUILD:-release}
build_dir=${root:?}/build/$preset

# build TARGET...: sets up, configures and builds, as far as needed; silent where nothing is.
build() {
  case $preset in
    release | dev | debug | asan) ;;
    *) echo "VITRINE_BUILD=$preset: expected release, dev, debug or asan" >&2; exit 2 ;;
  esac
  # In a tree that belongs to someone else, what they built is run.
  if [[ -x $build_dir/runner && ! -w $root/build ]]; then return; fi

  mkdir -p "$root/build"
  local lock
  exec {lock}>"$root/build/.lock"
  if ! flock --nonblock "$lock"; then
    echo "Waiting for another build of Vitrine to end" >&2
    flock "$lock"
  fi
  "$root/scripts/setup.sh"
  # ccache stops the build where it cannot write.
  if [[ ! -w ${HOME:-/nonexistent} ]]; then export CCACHE_DIR=${CCACHE_DIR:-$root/.ccache}; fi
  configure
  local jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
  if ! ninja -C "$build_dir" -j "$jobs" "$@" 2>&1 | show_progress; then
    echo "The build failed; the messages above say where." >&2
    exit 1
  fi
  tell_editors
  exec {lock}>&-
}

# Brings the root's compile_commands.json, a link, up to date: how each source of this preset is compiled.
tell_editors() {
  local made=$build_dir/compile_commands.json wanted=build/$preset/editor/compile_commands.json link=$root/compile_commands.json
  if [[ -f $made && ! $root/$wanted -nt $made ]]; then
    python3 -I "$root/scripts/compile_commands.py" "$made" "$root/$wanted" || return 0  # nobody is kept from building
  fi
  if [[ -e $link && ! -L $link || ! -f $root/$wanted ]]; then return 0; fi  # somebody's own
  if [[ $(readlink "$link") != "$wanted" ]]; then ln -sfn "$wanted" "$link" 2>/dev/null || true; fi
}

announced=''
announce() {
  if [[ $announced ]]; then return; fi
  announced=1
  if [[ -x $build_dir/runner ]]; then
    echo "Building what has changed" >&2
  else
    echo "Building Vitrine (it takes some minutes the first time)" >&2
  fi
}

# Configures a build folder that is new, or that was configured elsewhere or with another libtorch or compiler.
configure() {
  local torch_dir compiler wanted log=$build_dir/configure.log
  torch_dir=$(<"$root/.deps/torch_dir")
  compiler=$(<"$root/.deps/compiler")
  wanted="$root with $torch_dir, $compiler"
  if [[ -f $root/.deps/mpi ]]; then wanted+=", MPI"; fi
  if [[ -f $build_dir/build.ninja && -f $build_dir/configured ]] &&
    [[ $(<"$build_dir/configured") == "$wanted" ]]; then
    return
  fi
  announce
  mkdir -p "$build_dir"
  rm -rf "$build_dir/CMakeCache.txt" "$build_dir/CMakeFiles"
  if ! (cd "$root" && CXX=$compiler cmake --preset "$preset" -DTorch_DIR:PATH="$torch_dir") >"$log" 2>&1; then
    rm -f "$root/.deps/stamp"  # what setup.sh found is not enough: it looks again next time
    cat "$log" >&2
    exit 1
  fi
  echo "$wanted" >"$build_dir/configured"
}

# Copies ninja's output to stderr: a terminal gets one line that changes, a log all lines.
show_progress() {
  local line erase=''
  if [[ -t 2 && ${TERM:-dumb} != dumb ]]; then erase=$'\r\e[K'; fi
  while IFS= read -r line; do
    case $line in
      'ninja: Entering directory'* | *'Re-checking globbed directories'*) continue ;;
      'ninja: no work to do.' | '-- '*) continue ;;
      *code_version.cmake) continue ;;  # asked before every build, whether anything is to be built or not
    esac
    announce
    if [[ $erase && $line == '['*/*']'* ]]; then
      printf '%s%.79s' "$erase" "$line" >&2
    else
      printf '%s%s\n' "$erase" "$line" >&2
    fi
  done
  if [[ $announced ]]; then printf '%s' "$erase" >&2; fi
}
