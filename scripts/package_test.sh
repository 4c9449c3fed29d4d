#!/usr/bin/env bash
# Packs what is built here, and tries the package on a bare system of Debian's that has nothing but pip's libtorch.
#   scripts/package_test.sh tar|deb [SUITE]     needs root, debootstrap, dpkg-dev and some 3 GB in TMPDIR; SUITE is bookworm
# It is refused in words without libtorch and with another version; then it trains, sweeps and draws, and a plug-in of each kind is
# begun, built, checked and trained with. The system is new each time, and removed afterwards unless something failed.
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/scripts/*}
usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; }

form=${1:-} suite=${2:-bookworm} usual_index=''
if [[ $form != tar && $form != deb ]]; then usage >&2; exit 2; fi
if ((EUID != 0)) || ! command -v debootstrap >/dev/null || ! command -v dpkg-shlibdeps >/dev/null; then
  echo "package_test: root, debootstrap and dpkg-dev are needed" >&2
  exit 2
fi
source "$root/scripts/lib.sh"
build runner completion
packages=$build_dir/packages
rm -rf "$packages"
(cd "$build_dir" && cpack -G "$([[ $form == tar ]] && echo TGZ || echo DEB)") >"$build_dir/packages.log" || { cat "$build_dir/packages.log"; exit 1; }
torch=$(sed -n 's/^set(PACKAGE_VERSION "\(.*\)")/\1/p' "$(sed -n 's/^Torch_DIR:[A-Z]*=//p' "$build_dir/CMakeCache.txt")/TorchConfigVersion.cmake")

source "$root/scripts/bare_system.sh"
make_system
inside 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends python3-venv >/dev/null'
if [[ $form == tar ]]; then
  mkdir "$system/opt/vitrine"
  tar -xf "$packages"/*.tar.gz -C "$system/opt/vitrine" --strip-components 1
  compgen -G "$system/opt/vitrine/share/vitrine/licenses/libjpeg*" >/dev/null  # and those of the other libraries inside
  prefix=/opt/vitrine
  settings+=(PATH=/root/torch/bin:/opt/vitrine/bin:/usr/sbin:/usr/bin:/sbin:/bin)
else
  cp "$packages"/*.deb "$system/root/vitrine.deb"
  inside 'DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends /root/vitrine.deb >/dev/null'
  prefix=/usr
  settings+=(PATH=/root/torch/bin:/usr/sbin:/usr/bin:/sbin:/bin)
fi
inside 'runner --version'

# expect WORDS COMMAND: it fails with these words.
expect() {
  local said
  if said=$(inside "$2" 2>&1); then echo "it did not fail: $2"; false; fi
  if [[ $said != *"$1"* ]]; then printf '%s\n' "said: $said" "expected: $1"; false; fi
}
expect "this Vitrine needs libtorch $torch; found none;" 'runner list'
inside 'python3 -m venv /root/torch'
packages_of_python=$(echo "$system"/root/torch/lib/python3.*/site-packages)
mkdir -p "$packages_of_python"/torch/{lib,share/cmake/Torch}
touch "$packages_of_python"/torch/{__init__.py,lib/libtorch_cpu.so}
echo 'set(PACKAGE_VERSION "2.6.0")' >"$packages_of_python/torch/share/cmake/Torch/TorchConfigVersion.cmake"
expect "this Vitrine needs libtorch $torch; found 2.6.0 in ${packages_of_python#"$system"}/torch/lib;" 'runner list'
rm -r "$packages_of_python/torch"

inside "/root/torch/bin/pip install -qq torch==$torch"
inside "runner $prefix/share/vitrine/configs/vit_digits.yaml"
inside 'runner plot curves runs/vit_digits/latest -o curves.png && runner report runs -o report.html'
inside "runner sweep $prefix/share/vitrine/configs/vit_digits.yaml seed=0,1 training.max_steps=5 --run-dir sweep && runner resume sweep seed=0..2"

compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build_dir/CMakeCache.txt")
needed='cmake make'
if [[ $compiler == *clang* ]]; then needed+=' clang'; else needed+=' g++'; fi
if [[ $form == deb ]]; then needed+=' libfmt-dev nlohmann-json3-dev'; fi
inside "DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $needed >/dev/null"
for page in "$root"/docs/kinds/*/example.cpp; do
  kind=${page%/example.cpp}
  kind=${kind##*/}
  inside "runner plugin new $kind my_$kind && cd my_$kind && (cmake -S . -B build && cmake --build build) >build.log 2>&1 || { cat build.log; false; }"
  inside "cd my_$kind && runner check build/my_$kind.so && runner my_$kind.yaml training.max_steps=5"
done
echo "package_test: $form serves on $suite"
remove_system
