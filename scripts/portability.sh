#!/usr/bin/env bash
# Builds, trains and tests what is committed here on a bare system of Debian's, as README tells a newcomer to.
#   scripts/portability.sh bookworm|trixie                 needs root, debootstrap and some 6 GB in TMPDIR
#   scripts/portability.sh trixie --mnist FOLDER           with the tutorial's experiment on the files in that folder
#   scripts/portability.sh bookworm --usual-index          pip looks nowhere but in its usual index, and so gets the build for CUDA
# The system is new each time, and removed afterwards unless something failed. How this machine's apt and pip reach their archives
# (mirror, proxies, certificates, folders of wheels) counts there too.
set -euo pipefail

root=$(readlink -f "${BASH_SOURCE[0]}")
root=${root%/scripts/*}
usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; }

suite='' mnist='' usual_index=''
while (($#)); do
  case $1 in
    -h | --help) usage; exit ;;
    --mnist) mnist=$(readlink -f "${2:?--mnist needs a folder}"); shift ;;
    --usual-index) usual_index=1 ;;
    -*) usage >&2; exit 2 ;;
    *) suite=$1 ;;
  esac
  shift
done
if [[ ! $suite ]]; then usage >&2; exit 2; fi
if ((EUID != 0)) || ! command -v debootstrap >/dev/null; then
  echo "portability: root and debootstrap are needed" >&2
  exit 2
fi

source "$root/scripts/bare_system.sh"
make_system
git clone -q --no-hardlinks "$root" "$system/root/vitrine"
inside './runner configs/vit_digits.yaml'
if [[ $mnist ]]; then
  mounted+=("$mnist")
  settings+=("VITRINE_DATA=$mnist")
  inside './runner configs/vit_mnist.yaml'
fi
inside 'scripts/test.sh'
inside 'echo "$(. /etc/os-release && echo "$PRETTY_NAME"), $(cat .deps/compiler), libtorch in $(cat .deps/torch_dir)"; du -sh .deps build'
remove_system
