#!/usr/bin/env bash
# Looks at the code without running it: clang-format over all of it, and clang-tidy (.clang-tidy) over what is compiled without
# libtorch. Fails where either finds something, and with 77 where a tool is missing. Nothing is changed.
#   scripts/lint.sh
#   scripts/lint.sh framework/config framework/files     clang-tidy over these folders alone
#   scripts/lint.sh --all                                clang-tidy over all but the tests, which takes long
#   scripts/lint.sh --format                             no clang-tidy
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/scripts/*}
source "$root/scripts/lib.sh"
cd "$root"

tidies=1 all='' folders=()
for argument in "$@"; do
  case $argument in
    -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit ;;
    --all) all=1 ;;
    --format) tidies='' ;;
    -*) echo "$argument: expected --all, --format or folders" >&2; exit 2 ;;
    *) folders+=("$(realpath --relative-to . "$argument")") ;;
  esac
done

# Sets $1 to the command of version 14 of a tool: others have other opinions.
find_tool() {
  local name
  for name in "$2-14" "$2"; do
    if command -v "$name" >/dev/null && [[ $("$name" --version) =~ version\ 14\. ]]; then
      printf -v "$1" %s "$name"
      return
    fi
  done
  return 1
}
find_tools() { find_tool format clang-format && { [[ ! $tidies ]] || find_tool tidy clang-tidy; }; }

packages=(clang-format-14 ${tidies:+clang-tidy-14})
if ! find_tools && [[ ${CI:-} ]] && ((EUID == 0)); then
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${packages[@]}"; } \
    >/dev/null 2>&1 || true
fi
if ! find_tools; then
  echo "lint: not all of clang's tools of version 14 are here: apt-get install ${packages[*]}," \
    "or pip install clang-format==14.0.6${tidies:+ clang-tidy==14.0.6}" >&2
  exit 77
fi

status=0
git ls-files -z '*.h' '*.cpp' | xargs -0 "$format" --dry-run --Werror || status=1
if [[ ! $tidies ]]; then exit $status; fi

# Prints, of what the preset compiles, the sources that clang-tidy is to look at: several as one where they are compiled so.
# Their commands go to $database, without precompiled headers, which only the compiler that made one can read.
list_sources() {
  python3 -I - "$root" "$build_dir/compile_commands.json" "$database" "$all" "${folders[@]}" <<'END'
import json, pathlib, re, sys
root, made, wanted, everything, *folders = sys.argv[1:]
sys.path.insert(0, root + "/scripts")
import compile_commands
commands = json.loads(pathlib.Path(made).read_text())
for entry in commands:
    entry["command"] = compile_commands.without_precompiled(entry["command"])
pathlib.Path(wanted, "compile_commands.json").write_text(json.dumps(commands))
for entry in commands:
    paths = [path.removeprefix(root + "/") for path in compile_commands.sources_of(entry["file"])]
    if paths[0].startswith(("build/", "tests/")):
        continue
    in_folders = any(path.startswith(folder + "/") for path in paths for folder in folders)
    without_torch = "/torch/include" not in entry["command"]
    if in_folders if folders else everything or without_torch:
        print(entry["file"])
END
}

look_at() {
  local said
  said=$(mktemp)
  if ! "$tidy" -p "$database" --quiet --extra-arg=-Wno-unknown-warning-option "$1" >"$said" 2>&1; then
    cat "$said"
    rm "$said"
    return 1
  fi
  rm "$said"
}
export -f look_at

build build.ninja  # which knows of all sources
database=$(mktemp -d)
trap 'rm -rf "$database"' EXIT
export tidy database
list_sources | xargs -P "$(nproc)" -I '{}' bash -c 'look_at "$1"' lint '{}' || status=1
exit $status
