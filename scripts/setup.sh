#!/usr/bin/env bash
# Sets up what the build and the tests need and is not there yet; a second call does nothing.
# libtorch (2.6 or later), for CUDA or not: what Torch_DIR or CMAKE_PREFIX_PATH names, an unpacked archive too, else
# the PyTorch that python3 imports, else one of the system, else one from pip in .deps/venv.
# The compiler: what CXX names, else clang++, which compiles this in half of g++'s time, else c++.
# The folder of TorchConfig.cmake is written to .deps/torch_dir, the compiler to .deps/compiler. Other packages
# come from apt.
#   scripts/setup.sh --with-mpi     also what trains one run in several processes (mpirun, srun): Debian's MPI
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/scripts/*}
deps=$root/.deps
torch_version=2.13.0
oldest_torch=2.6

# command to package; and what CMake or, with its prefix, pkg-config finds to Debian package
declare -A tools=([cmake]=cmake [ninja]=ninja-build [openssl]=openssl [python3]=python3
  [pkg-config]=pkg-config)
declare -A libraries=([yaml-cpp]=libyaml-cpp-dev [fmt]=libfmt-dev [nlohmann_json]=nlohmann-json3-dev
  [CLI11]=libcli11-dev [CURL]=libcurl4-openssl-dev [OpenSSL]=libssl-dev [ZLIB]=zlib1g-dev [BZip2]=libbz2-dev
  [PNG]=libpng-dev [JPEG]=libjpeg-dev [simdjson]=libsimdjson-dev [hwy]=libhwy-dev [TBB]=libtbb-dev [Boost]=libboost-dev [Vega]=libjs-vega [Catch2]=catch2
  [pkg-config:pangocairo]=libpango1.0-dev [pkg-config:libdeflate]=libdeflate-dev [pkg-config:libzip]=libzip-dev
  [pkg-config:libwebp]=libwebp-dev [pkg-config:libwebpdemux]=libwebp-dev [pkg-config:libexif]=libexif-dev)

case "$*" in
  '') ;;
  --with-mpi) tools+=([mpirun]=openmpi-bin) libraries+=([MPI]=libopenmpi-dev) ;;
  *) echo "setup: $*: expected nothing or --with-mpi" >&2; exit 2 ;;
esac

say() { printf '%s\n' "$@" >&2; }
fail() {
  say "setup: $1" "${@:2}"
  exit 1
}
# python [-c CODE | -m MODULE] [ARGUMENT...]: by -I nothing is imported from the current folder, where anyone may have left a
# torch.py; what the user installed or names absolutely in PYTHONPATH is.
python() { "${interpreter:-python3}" -I "$@"; }
users_paths='import os, site, sys
sys.path += filter(os.path.isabs, os.environ.get("PYTHONPATH", "").split(os.pathsep) + [site.getusersitepackages()])
'
have() { command -v "${1%% *}" >/dev/null; }

is_set_up() {
  [[ -f $deps/stamp && -f $deps/torch_dir && -f $deps/compiler && $(<"$deps/stamp") == "$key" ]] || return
  compiler=$(<"$deps/compiler")
  [[ -f $(<"$deps/torch_dir")/TorchConfig.cmake ]] && have "$compiler" && have cmake && have ninja && ! lacks_sanitizers
}

# Whether the preset asan is to be built and clang++ has no libraries of sanitizers, which are a package of their own.
lacks_sanitizers() {
  # Unquoted: CXX may have arguments.
  [[ ${VITRINE_BUILD:-} == asan && ${compiler:-clang++} == *clang++* ]] &&
    ! ${compiler:-clang++} -fsanitize=address,undefined -x c++ - -o /dev/null <<<'int main() {}' 2>/dev/null
}

# Whether clang++ is here, is the oldest that this was tried with or later, and finds a standard library.
have_clang() {
  local source='#include <stop_token>
#if __clang_major__ < 14
#error too old
#endif'
  have clang++ && clang++ -std=c++20 -x c++ -fsyntax-only - <<<"$source" 2>/dev/null
}

# Sets compiler to the one that is used, or to nothing where there is none.
find_compiler() {
  compiler=''
  if [[ ${CXX:-} ]]; then
    compiler=$CXX
  elif have_clang; then
    compiler=clang++
  elif have c++; then
    compiler=c++
  fi
}

# Sets torch_dir if there is a libtorch under $1 that can be used.
take_torch() {
  local suffix dir version
  for suffix in '' Torch share/cmake/Torch libtorch/share/cmake/Torch torch/share/cmake/Torch; do
    dir=$1/$suffix
    if [[ ! -f $dir/TorchConfig.cmake ]]; then continue; fi
    dir=$(cd "$dir" && pwd)
    version=$(sed -n 's/^set(PACKAGE_VERSION "\([0-9.]*\).*/\1/p' "$dir/TorchConfigVersion.cmake")
    if ! printf '%s\n' "$oldest_torch" "$version" | sort --version-sort --check=quiet; then
      say "Passing over libtorch $version in $dir: $oldest_torch or later is needed"
    else
      torch_dir=$dir
      return 0
    fi
  done
  return 1
}

find_torch() {
  local prefix prefixes=()
  if [[ ${Torch_DIR:-} ]]; then
    take_torch "$Torch_DIR" || fail "Torch_DIR=$Torch_DIR: no libtorch that can be used is there"
    return
  fi
  IFS=':;' read -ra prefixes <<<"${CMAKE_PREFIX_PATH:-}"
  for prefix in "${prefixes[@]}"; do
    if [[ $prefix ]] && take_torch "$prefix"; then return; fi
  done
  take_imported || take_torch /usr/local || take_torch /usr || take_installed
}

# Sets torch_dir if python3 would import a PyTorch that can be used.
take_imported() {
  local package
  package=$(python -c "$users_paths"'
import importlib.util
print(importlib.util.find_spec("torch").submodule_search_locations[0])' 2>/dev/null) && take_torch "$package"
}

# The same of the PyTorch that install_torch installs.
take_installed() {
  local package
  for package in "$deps"/venv/lib/python3*/site-packages/torch; do
    if take_torch "$package"; then return; fi
  done
  return 1
}

# Whether a Python of those that the tests ask can validate JSON Schemas. A package from apt is that of
# /usr/bin/python3, which need not be the first in PATH.
have_jsonschema() {
  local interpreter
  for interpreter in python3 /usr/bin/python3; do
    if python -c "$users_paths"'from jsonschema import Draft202012Validator' 2>/dev/null; then return; fi
  done
  return 1
}

# Where distributions keep the certificates that downloads are checked against.
have_certificates() {
  local file
  for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
    if [[ -s $file ]]; then return; fi
  done
  return 1
}

# Sets missing to the packages that apt has to install.
find_missing() {
  local name probe generator='Unix Makefiles'
  missing=()
  for name in "${!tools[@]}"; do
    if ! have "$name"; then missing+=("${tools[$name]}"); fi
  done
  if [[ ! $compiler ]] || ! have "$compiler"; then
    # What a clang++ that is here and of no use lacks is most often the standard library, which comes with g++.
    if [[ ${compiler:-clang++} == *clang* ]] && ! have clang++; then missing+=(clang); else missing+=(g++); fi
  fi
  if lacks_sanitizers; then missing+=(libclang-rt-dev); fi
  if [[ ! $torch_dir ]] && ! python -c 'import ensurepip' 2>/dev/null; then missing+=(python3-venv); fi
  if ! have_jsonschema; then missing+=(python3-jsonschema); fi
  if ! have_certificates; then missing+=(ca-certificates); fi
  if have ninja; then generator=Ninja; fi
  probe=$(mktemp -d)
  printf '%s\n' "${!libraries[@]}" >"$probe/missing"  # as good as can be told without a compiler
  CXX=$compiler cmake -G "$generator" -S "$root/scripts/probe" -B "$probe" \
    -DPACKAGES="$(IFS=';' && echo "${!libraries[*]}")" >/dev/null 2>&1 || true
  while read -r name; do missing+=("${libraries[$name]}"); done <"$probe/missing"
  rm -rf "$probe"
  # These make the build faster, which is no reason to ask for root.
  if [[ ${missing[*]} ]]; then
    if ! have ccache; then missing+=(ccache); fi
    if [[ $compiler == c++ && ! ${CXX:-} ]]; then missing+=(clang); fi
  fi
}

install_packages() {
  local answer as_root=()
  if ! have apt-get; then
    fail "missing packages (Debian's names): $*" "Install them, then start again."
  fi
  if ((EUID != 0)); then
    if have sudo && [[ -t 0 && -t 2 ]]; then
      read -rp "Vitrine needs these packages: $*. Install them with sudo? [Y/n] " answer
      if [[ ${answer:-y} == [Yy]* ]]; then as_root=(sudo); fi
    elif have sudo && sudo -n true 2>/dev/null; then
      as_root=(sudo -n)
    fi
    if [[ ! ${as_root[*]} ]]; then
      fail "missing packages, which root has to install: $*" "Have this run as root, then start again:" \
        "  apt-get update && apt-get install --no-install-recommends $*"
    fi
  fi
  say "Installing from apt: $*"
  if ! { "${as_root[@]}" apt-get update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install --yes --no-install-recommends "$@"; } >"$deps/apt.log" 2>&1; then
    tail -n 15 "$deps/apt.log" >&2
    fail "apt-get failed; all that it said is in $deps/apt.log"
  fi
}

# Whether a GPU of NVIDIA's can be used here: it has a driver.
have_gpu() { python -c 'import ctypes; ctypes.CDLL("libcuda.so.1")' 2>/dev/null; }

# What libtorch_cpu.so of $torch_dir is linked with and does not find.
missing_libraries() { ldd "$torch_dir/../../../lib/libtorch_cpu.so" 2>/dev/null | sed -n 's/^\s*\(\S*\) => not found$/\1/p'; }

# Prints what the installed PyTorch requires of packages that bring CUDA's runtime and its profiler, which a build for
# CUDA is linked with: 13 MB of several GB.
runtime_requirements() {
  "$deps/venv/bin/python" -I - <<'END'
import importlib.metadata, re
for text in importlib.metadata.requires("torch"):
    text = text.split(";")[0]
    extras = re.match(r"cuda-toolkit\[(.*)\](.*)", text)
    if extras:
        wanted = [name for name in extras[1].split(",") if name in ("cudart", "cupti")]
        print(f"cuda-toolkit[{','.join(wanted)}]{extras[2].strip()}")
    elif re.match(r"nvidia-cuda-(runtime|cupti)", text):
        print(text.strip())
END
}

install_torch() {
  local requirements=() pip=("$deps/venv/bin/python" -I -m pip --disable-pip-version-check)
  local install=("${pip[@]}" install -qq --no-compile)  # its Python is used by few, and compiling it takes as long as the rest
  if have_gpu; then
    say "Installing PyTorch $torch_version with pip into .deps/venv, for the GPU here: a download of 3 GB"
  else
    say "Installing PyTorch $torch_version with pip into .deps/venv: a download of 200 MB, or of 550 MB where pip's index has" \
      "only the build for CUDA; the several GB that only GPUs need are left out"
  fi
  python -m venv "$deps/venv"
  if ! have_gpu; then
    # The usual index has the build for CUDA, this one that without. A pip that was told where to look is left alone.
    if [[ ! $("${pip[@]}" config list) =~ index-url|find-links ]]; then
      "${install[@]}" --retries 1 --no-deps --index-url https://download.pytorch.org/whl/cpu \
        "torch==$torch_version" 2>/dev/null || true
    fi
    "${install[@]}" --no-deps "torch==$torch_version" || fail_torch
    take_installed || fail "pip's PyTorch cannot be used"
    if [[ $(missing_libraries) ]]; then mapfile -t requirements < <(runtime_requirements); fi
  fi
  if ((${#requirements[@]} == 0)); then requirements=("torch==$torch_version"); fi
  "${install[@]}" "${requirements[@]}" numpy || fail_torch
  take_installed || fail "pip's PyTorch cannot be used"
  if [[ ! $(missing_libraries) ]]; then return; fi
  say "Installing all that this PyTorch requires, which may be several GB: it needs $(missing_libraries | paste -sd ' ')"
  "${install[@]}" "torch==$torch_version" || fail_torch
}

fail_torch() { fail "pip could not install torch==$torch_version; or name a libtorch that you have with Torch_DIR"; }

key="$(cksum <"${BASH_SOURCE[0]}") $root CXX=${CXX:-} Torch_DIR=${Torch_DIR:-} CMAKE_PREFIX_PATH=${CMAKE_PREFIX_PATH:-}"
has_wanted() { [[ ! ${tools[mpirun]:-} || -f $deps/mpi ]]; }
if is_set_up && has_wanted; then exit; fi
mkdir -p "$deps"
exec 9>"$deps/.lock"
flock 9
if is_set_up && has_wanted; then exit; fi

torch_dir=''
find_torch || true
find_compiler
find_missing
if [[ ${missing[*]} ]]; then install_packages "${missing[@]}"; fi
find_compiler
if ! have "$compiler"; then fail "${CXX:+CXX=$CXX: }no such compiler"; fi
if [[ ! $torch_dir ]]; then install_torch; fi
if [[ ${tools[mpirun]:-} ]]; then touch "$deps/mpi"; fi
echo "$torch_dir" >"$deps/torch_dir"
echo "$compiler" >"$deps/compiler"
echo "$key" >"$deps/stamp"
say "Set up: libtorch in $torch_dir, compiler $compiler"
