#!/usr/bin/env bash
# Which libtorch and compiler scripts/setup.sh takes, and which packages it asks for. It runs in a copy of the
# repository's layout, beside libtorches of a few bytes and an apt-get that only writes down its arguments.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
real_python=$(python3 -c 'import sys; print(sys.executable)')
failures=0

# What set-up looks at in a libtorch. It is for CUDA, which makes no difference.
make_libtorch() {
  mkdir -p "$1/Torch" "$1/Caffe2"
  touch "$1/Torch/TorchConfig.cmake"
  echo 'set(CAFFE2_USE_CUDA 1)' >"$1/Caffe2/Caffe2Config.cmake"
  echo "set(PACKAGE_VERSION \"${2:-2.9.0}\")" >"$1/Torch/TorchConfigVersion.cmake"
}

make_script() {
  mkdir -p "${1%/*}"
  printf '#!/bin/bash\n%s\n' "$2" >"$1"
  chmod +x "$1"
}

# A Python, in the file $1, that imports the PyTorch in $2; none if that is empty. It sees a driver for GPUs if there is a file
# $work/driver, and writes down the arguments of pip, which installs the PyTorch $pip_torch.
pip_torch=''
make_python() {
  make_script "$1" "[[ \$1 == -I ]] || echo \"not isolated: \$*\" >>'$work/pip'
  case \"\$*\" in
    *'find_spec(\"torch\")'*) [[ '$2' ]] && echo '$2' ;;
    *libcuda*) [[ -e '$work/driver' ]] ;;
    *'-m venv'*) mkdir -p '$tree/.deps/venv/bin'; ln -sf \"\$0\" '$tree/.deps/venv/bin/python' ;;
    *'-m pip --disable-pip-version-check config list') ;;
    *'-m pip'*)
      all=\"\$*\"
      echo \"\${all#*--no-compile }\" >>'$work/pip'
      if [[ ! '$pip_torch' || \$* == *--index-url* ]]; then exit 1; fi
      if [[ \$* == *torch==* ]]; then cp -r '$pip_torch'/. '$tree/.deps/venv'; fi
      if [[ \$* == *cudart* ]]; then rm '$tree/.deps/venv/needs'; fi
      ;;
    '-I -') exec '$real_python' -c 'import sys; sys.path.insert(0, \"$work\"); exec(sys.stdin.read())' ;;
    *) exec '$real_python' \"\$@\" ;;
  esac"
}

# Runs set-up under the further environment $@; prints the libtorch that it took.
set_up() {
  rm -f "$work/apt" "$work/pip" "$tree/.deps/stamp"
  env -u CXX -u VITRINE_BUILD -u Torch_DIR -u CMAKE_PREFIX_PATH PATH="$work/bin:$PATH" "$@" "$tree/scripts/setup.sh" >"$work/log" 2>&1 || true
  cat "$tree/.deps/torch_dir" 2>/dev/null || true
}

expect() {  # WHAT GOT WANTED
  if [[ $2 == "$3" ]]; then return; fi
  printf '%s:\n  got      %s\n  expected %s\n' "$1" "$2" "$3"
  cat "$work/log"
  failures=$((failures + 1))
}

mkdir -p "$tree"
cp -r "$root/scripts" "$root/cmake" "$tree"
for name in named archive/libtorch/share/cmake python; do make_libtorch "$work/$name"; done
make_libtorch "$work/old" 2.5.1
make_script "$work/bin/apt-get" "echo \"\$*\" >>'$work/apt'; exit 1"
make_script "$work/bin/sudo" 'exit 1'
# The probe for libraries takes seconds, and is looked at last.
make_script "$work/bin/cmake" 'while [[ $1 != -B ]]; do shift; done; : >"$2/missing"'

make_python "$work/bin/python3" ''
installed=$tree/.deps/venv/lib/python3.11/site-packages/torch/share/cmake
make_libtorch "$installed"
expect "the one in .deps/venv, where there is no other" "$(set_up)" "$installed/Torch"
expect "pip" "$(cat "$work/pip" 2>/dev/null)" ''
make_python "$work/bin/python3" "$work/python"
expect "python3's, whatever was used last time" "$(set_up)" "$work/python/Torch"
expect "CMAKE_PREFIX_PATH" "$(set_up CMAKE_PREFIX_PATH="/none:$work/archive")" \
  "$work/archive/libtorch/share/cmake/Torch"
expect "Torch_DIR" "$(set_up Torch_DIR="$work/named/Torch" CMAKE_PREFIX_PATH="$work/archive")" "$work/named/Torch"
expect "one that is too old is passed over" "$(set_up CMAKE_PREFIX_PATH="$work/old")" "$work/python/Torch"

# What pip is asked for, beside its build for CPUs or that for CUDA, which is linked with CUDA's own libraries.
pip_calls() {
  rm -rf "$tree/.deps/venv"
  pip_torch=$1
  make_python "$work/bin/python3" ''
  expect "a PyTorch from pip" "$(set_up)" "$installed/Torch"
  cat "$work/pip"
}
for build in cpu cuda; do make_libtorch "$work/$build/lib/python3.11/site-packages/torch/share/cmake"; done
echo 'libcudart.so.13' >"$work/cuda/needs"
make_script "$work/bin/ldd" "sed 's/.*/\t& => not found/' '$tree/.deps/venv/needs' 2>/dev/null"
mkdir "$work/torch-2.13.0.dist-info"
printf '%s\n' 'Metadata-Version: 2.1' 'Name: torch' 'Version: 2.13.0' 'Requires-Dist: sympy>=1.13.3' \
  'Requires-Dist: cuda-toolkit[cublas,cudart,cufft,cupti]==13.0.3; platform_system == "Linux"' \
  'Requires-Dist: nvidia-cudnn-cu13==9.20.0.48; platform_system == "Linux"' >"$work/torch-2.13.0.dist-info/METADATA"
tried='--retries 1 --no-deps --index-url https://download.pytorch.org/whl/cpu torch==2.13.0
--no-deps torch==2.13.0'
expect "pip's build for CPUs" "$(pip_calls "$work/cpu")" "$tried"$'\ntorch==2.13.0 numpy'
grep -q 'a download of 200 MB' "$work/log" || expect "the size of the download" "$(cat "$work/log")" '... a download of 200 MB ...'
expect "pip's build for CUDA without a GPU" "$(pip_calls "$work/cuda")" "$tried"$'\ncuda-toolkit[cudart,cupti]==13.0.3 numpy'
touch "$work/driver"
rm "$work/cuda/needs"
expect "pip's build for CUDA beside a GPU" "$(pip_calls "$work/cuda")" 'torch==2.13.0 numpy'
grep -q 'a download of 3 GB' "$work/log" || expect "the size of the download" "$(cat "$work/log")" '... a download of 3 GB ...'
rm "$work/driver"

# Modules in the current folder are not imported.
mkdir "$work/here"
for module in torch jsonschema ensurepip ctypes; do echo "open('$work/imported', 'w')" >"$work/here/$module.py"; done
make_script "$work/bin/python3" "exec '$real_python' \"\$@\""
(cd "$work/here" && set_up >/dev/null)
expect "modules in the current folder" "$(cat "$work/imported" 2>&1)" "cat: $work/imported: No such file or directory"
make_python "$work/bin/python3" "$work/python"

# Prints the compiler that set-up takes under the further environment $@.
compiler() {
  set_up "$@" >/dev/null
  cat "$tree/.deps/compiler"
}

make_script "$work/bin/clang++" 'exit 0'
expect "clang++ first" "$(compiler)" clang++
make_script "$work/bin/other-c++" 'exec c++ "$@"'
expect "CXX before it" "$(compiler CXX=other-c++)" other-c++
make_script "$work/bin/clang++" 'exit 1'
expect "a clang++ of no use is passed over" "$(compiler)" c++
rm "$work/bin/clang++"

# Without ninja the libraries that are there are found all the same.
tools=(ar as bash c++ cat chmod cksum cmake dirname env flock grep id ld make mkdir mktemp nm openssl pkg-config printf
  ranlib readlink rm sed sort strip touch tail uname ccache)
mkdir "$work/few"
for tool in "${tools[@]}"; do
  if path=$(command -v "$tool"); then ln -s "$(readlink -f "$path")" "$work/few/$tool"; fi
done
ln -sf "$work/bin/apt-get" "$work/bin/sudo" "$work/bin/python3" "$work/few"
make_script "$work/bin/apt-get" "echo \"\$*\" >>'$work/apt'"

# Prints the packages, of those that match $kept, that set-up asks for where only these tools are, under the
# further environment $@.
packages() {
  PATH=$work/few set_up PATH="$work/few" "$@" >/dev/null
  sed -n 's/.*--no-install-recommends //p' "$work/apt" | tr ' ' '\n' | grep -v ccache | grep "$kept" || true
}
kept=.
# By make, which a bare system does not have either.
if command -v make >/dev/null; then expect "packages without ninja, and what is faster" "$(packages)" $'ninja-build\nclang'; fi
# Which libraries are there is not known without a compiler.
kept='^ninja-build$\|^clang$\|^g++$\|^libclang-rt-dev$'
expect "the package of CXX" "$(packages CXX=none-g++)" $'ninja-build\ng++'
expect "what is said of a CXX that is in no package" "$(tail -n 1 "$work/log")" "setup: CXX=none-g++: no such compiler"
rm "$work/few/c++"
expect "packages without any compiler" "$(packages)" $'ninja-build\nclang'
expect "and with sanitizers" "$(packages VITRINE_BUILD=asan)" $'ninja-build\nclang\nlibclang-rt-dev'

exit $((failures > 0))
