# shellcheck shell=bash
# A bare system of Debian's in a folder, for scripts that try there what a newcomer does; they set $suite, and $usual_index where pip
# is to look nowhere but in its usual index. How this machine's apt and pip reach their archives (mirror, proxies, certificates,
# folders of wheels) counts there too. Needs root and debootstrap.

system=$(mktemp -d -t "vitrine-$suite-XXXXXX")
chmod 755 "$system"
mounted=()  # folders of this machine that are seen there, read-only, at the same place
settings=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb)

# The archive that this machine installs Debian's packages from; nothing where it is another system.
mirror() { apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI)' 2>/dev/null | sed -n 's/^Debian main //p' | head -n 1; }

# How this machine reaches what it downloads.
copy_network() {
  local name certificates
  apt-config dump Acquire | grep -E '^Acquire::(https?|ftp|Check)' >"$system/etc/apt/apt.conf.d/99host" || true
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    if [[ ${!name:-} ]]; then settings+=("$name=${!name}"); fi
  done
  # Under a name of its own: the package ca-certificates writes its own bundle.
  certificates=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
  if [[ -s $certificates ]]; then
    cp "$certificates" "$system/usr/local/share/host-certificates.crt"
    for name in SSL_CERT_FILE CURL_CA_BUNDLE REQUESTS_CA_BUNDLE PIP_CERT; do
      settings+=("$name=/usr/local/share/host-certificates.crt")
    done
  fi
}

# What this machine's pip is told, and the folders that this names.
copy_pip() {
  local line value word
  if [[ $usual_index ]]; then
    mkdir "$system/empty"  # told of a place, it is not sent to PyTorch's own index either
    settings+=(PIP_FIND_LINKS=/empty)
    return
  fi
  echo '[global]' >"$system/etc/pip.conf"
  while IFS= read -r line; do
    value=${line#*=\'}
    value=${value%\'}
    case $line in
      *.cert=*) continue ;;
      :env:.*) settings+=("PIP_$(sed 's/^:env:\.//; s/=.*//; y/-/_/' <<<"$line" | tr '[:lower:]' '[:upper:]')=$value") ;;
      *) printf '%s = %s\n' "$(sed 's/^[^.]*\.//; s/=.*//' <<<"$line")" "$value" >>"$system/etc/pip.conf" ;;
    esac
    for word in $value; do
      word=${word#file://}
      if [[ $word != /* || ! -e $word ]]; then continue; fi
      if [[ -f $word ]]; then
        install -D "$word" "$system/$word"
      else
        # An index lies beside the files that it leads to.
        if [[ $value == *file://* ]]; then word=${word%/*}; fi
        mounted+=("$word")
      fi
    done
  done < <(python3 -I -m pip config list 2>/dev/null)
}

# Runs the line of shell $1 in the new system's folder /root/vitrine. What is mounted and started for it goes with it.
inside() {
  printf '%s\n' "== $suite: $1"
  unshare --mount --pid --fork bash -c '
    system=$1 line=$2 count=$3
    shift 3
    for folder in "${@:1:count}"; do
      mkdir -p "$system$folder"
      mount --bind -o ro "$folder" "$system$folder"
    done
    shift "$count"
    mount -t proc proc "$system/proc"
    mount -t sysfs -o ro sys "$system/sys"
    mount --rbind /dev "$system/dev"
    exec env -i "$@" chroot "$system" bash -c "cd /root/vitrine && $line"
  ' - "$system" "$1" "${#mounted[@]}" "${mounted[@]}" "${settings[@]}"
}

failed() {
  echo "${0##*/}: $suite failed; the system is left in $system" >&2
  exit 1
}
trap failed ERR

# Makes the system; it is removed by remove_system.
make_system() {
  debootstrap --variant=minbase "$suite" "$system" $(mirror) >"$system.log" 2>&1 || { tail "$system.log"; failed; }
  rm "$system.log"
  # Which every system has that was installed otherwise.
  if [[ ! -s $system/etc/hosts ]]; then printf '127.0.0.1 localhost\n::1 localhost\n' >"$system/etc/hosts"; fi
  copy_network
  copy_pip
  mkdir "$system/root/vitrine"
}
remove_system() { rm -rf --one-file-system "$system"; }
