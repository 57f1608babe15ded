#!/usr/bin/env bash
# setup.sh run|test|quick|guest|venv: installs what the system must have, and says what and why before it does.
# Debian/Ubuntu, Fedora and Arch. Asks first, unless root or YES=1. Quick when nothing is missing.
set -euo pipefail
goal=${1:-run}
cd "$(dirname "$0")/.."
[[ $(uname -s) == Linux ]] || exit 0

family=
if command -v apt-get >/dev/null; then family=debian
elif command -v dnf >/dev/null; then family=fedora
elif command -v pacman >/dev/null; then family=arch
fi

missing=() reasons=() optional=()
# need WHY DEBIAN FEDORA ARCH: asks for the package of this system; several in one word are split at commas.
need() {
  local why=$1 name
  case $family in debian) name=$2 ;; fedora) name=$3 ;; arch) name=$4 ;; *) name=$2 ;; esac
  [[ -n $name ]] || return 0
  IFS=, read -ra names <<<"$name"
  missing+=("${names[@]}")
  reasons+=("  ${names[*]}: $why")
}
has() { command -v "$1" >/dev/null || [[ -x /usr/sbin/$1 || -x /sbin/$1 ]]; }
library() { /sbin/ldconfig -p 2>/dev/null | grep -q "$1" || ldconfig -p 2>/dev/null | grep -q "$1"; }

qt_libraries() {
  library libEGL.so.1 || need "Qt draws with it" libegl1 mesa-libEGL libglvnd
  library libGL.so.1 || need "Qt draws with it" libgl1 mesa-libGL libglvnd
  library libxkbcommon.so.0 || need "keyboards" libxkbcommon0 libxkbcommon libxkbcommon
  library libdbus-1.so.3 || need "Qt asks the desktop for its settings" libdbus-1-3 dbus-libs dbus
  library libfontconfig.so.1 || need "fonts" libfontconfig1 fontconfig fontconfig
  library libglib-2.0.so.0 || need "Qt's event loop" libglib2.0-0 glib2 glib2
}
x_libraries() {
  library libxkbcommon-x11.so.0 || need "keyboards on X" libxkbcommon-x11-0 libxkbcommon-x11 libxkbcommon-x11
  library libxcb-cursor.so.0 || need "windows on X" libxcb-cursor0 xcb-util-cursor xcb-util-cursor
  library libxcb-icccm.so.4 || need "windows on X" libxcb-icccm4 xcb-util-wm xcb-util-wm
  library libxcb-image.so.0 || need "windows on X" libxcb-image0 xcb-util-image xcb-util-image
  library libxcb-keysyms.so.1 || need "keyboards on X" libxcb-keysyms1 xcb-util-keysyms xcb-util-keysyms
  library libxcb-render-util.so.0 || need "windows on X" libxcb-render-util0 xcb-util-renderutil xcb-util-renderutil
  library libxcb-randr.so.0 || need "screens on X" libxcb-randr0 libxcb libxcb
  library libxcb-shape.so.0 || need "windows on X" libxcb-shape0 libxcb libxcb
  library libxcb-xkb.so.1 || need "keyboards on X" libxcb-xkb1 libxcb libxcb
}
virtual_display() {
  has Xvnc || need "a virtual display, since this computer shows none" tigervnc-standalone-server tigervnc-server-minimal tigervnc
  has vncpasswd || has tigervncpasswd || need "the password of the virtual display" tigervnc-tools tigervnc-server-minimal tigervnc
  has xauth || need "only this run may use the virtual display" xauth xorg-x11-xauth xorg-xauth
  has openbox || need "a window manager, so that windows on the virtual display take the keyboard" openbox openbox openbox
}
any_engine() {
  local socket
  for socket in /var/run/docker.sock /run/podman/podman.sock "${XDG_RUNTIME_DIR:-/nonexistent}/docker.sock" \
    "${XDG_RUNTIME_DIR:-/nonexistent}/podman/podman.sock" "${HOME:-/nonexistent}/.colima/default/docker.sock" \
    "${HOME:-/nonexistent}/.rd/docker.sock"; do
    [[ -S $socket ]] && return 0
  done
  [[ -n ${DOCKER_HOST:-} ]] || has dockerd || has podman
}
# Without an engine the window still opens: its first page says what is missing, and the steps.
engine() {
  local before=${#missing[@]}
  find_engine
  optional=("${missing[@]:before}")
}
find_engine() {
  any_engine || need "a container engine, since none was found" docker.io moby-engine docker
  if has dockerd || [[ " ${missing[*]} " == *" docker.io "* || " ${missing[*]} " == *" moby-engine "* || " ${missing[*]} " == *" docker "* ]]; then
    has iptables || need "networks of containers" iptables iptables-nft iptables-nft
    has slirp4netns || need "the embedded engine's own network" slirp4netns slirp4netns slirp4netns
    has ip || need "the embedded engine's own network" iproute2 iproute iproute2
    if [[ $(id -u) != 0 ]]; then
      has rootlesskit || need "an engine without root" rootlesskit rootlesskit rootlesskit
      has newuidmap || need "an engine without root" uidmap shadow-utils shadow
      has fuse-overlayfs || need "an engine without root" fuse-overlayfs fuse-overlayfs fuse-overlayfs
    fi
  fi
}
ssh_keys() { has ssh-keygen || need "tests make keys and log in with it" openssh-client openssh-clients openssh; }
test_programs() {
  has dockerd || need "tests run against a real engine of their own" docker.io moby-engine docker
  has docker || need "tests compare with the docker command line" docker.io moby-engine docker
  has iptables || need "the test engine's networks" iptables iptables-nft iptables-nft
  has slirp4netns || need "the test engine's own network" slirp4netns slirp4netns slirp4netns
  has ip || need "the test engine's own network" iproute2 iproute iproute2
  has rootlesskit || need "tests of an engine without root" rootlesskit rootlesskit rootlesskit
  has newuidmap || need "tests of an engine without root" uidmap shadow-utils shadow
  has busybox || need "the small base image of the tests" busybox-static busybox busybox
  has mmdebstrap || need "the Debian base image of the tests" mmdebstrap mmdebstrap mmdebstrap
  has sshd || need "tests of engines over SSH start one on loopback (where the system starts its own, that can be disabled)" openssh-server openssh-server openssh
  ssh_keys
  has openssl || need "tests make passwords and certificates" openssl openssl openssl
  has curl || need "the tests fetch a page and the builder plugin" curl curl curl
  has dpkg-deb || need "the tests unpack the builder plugin" dpkg dpkg dpkg
  has qemu-system-x86_64 || need "tests boot a small machine" qemu-system-x86 qemu-system-x86-core qemu-system-x86
  has qemu-system-aarch64 || need "tests boot a small machine of the other processor" qemu-system-arm qemu-system-aarch64-core qemu-system-aarch64
  has qemu-img || need "tests make disks" qemu-utils qemu-img qemu-img
  has gsettings || need "tests change the proxy of a desktop" libglib2.0-bin glib2 glib2
  [[ -e /usr/share/glib-2.0/schemas/org.gnome.system.proxy.gschema.xml ]] || need "the settings of a desktop's proxy" gsettings-desktop-schemas gsettings-desktop-schemas gsettings-desktop-schemas
  [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || need "Debian's signature on the kernel that the tests boot" debian-archive-keyring debian-keyring debian-archive-keyring
  guest_programs
  virtual_display
}
guest_programs() {
  has mksquashfs || need "it packs the image of the machine" squashfs-tools squashfs-tools squashfs-tools
}

case $goal in
  run)
    qt_libraries
    x_libraries
    [[ -n ${DISPLAY:-} || -n ${WAYLAND_DISPLAY:-} ]] || virtual_display
    engine
    ;;
  test) qt_libraries; x_libraries; test_programs ;;
  quick) qt_libraries; ssh_keys ;;
  guest) guest_programs ;;
  venv) need "the virtual environment" python3-venv python3 python ;;
  *) sed -n 2,3p "$0"; exit 2 ;;
esac

((${#missing[@]})) || exit 0
mapfile -t packages < <(printf '%s\n' "${missing[@]}" | sort -u)
case $family in
  debian) command=(apt-get install -y --no-install-recommends "${packages[@]}") ;;
  fedora) command=(dnf install -y "${packages[@]}") ;;
  arch) command=(pacman -S --needed --noconfirm "${packages[@]}") ;;
esac

echo "Pilothouse needs some packages of the system:"
printf '%s\n' "${reasons[@]}" | sort -u
if [[ -z $family ]]; then
  echo "This system's package program is not known here (apt, dnf and pacman are). Install what is named above, under the names of your system." >&2
  [[ $goal == run ]] && exit 0
  exit 1
fi

root=()
# Goes on where only the engine is missing, and ends where the window could not open.
without() {
  if [[ $goal == run && ${#optional[@]} == "${#missing[@]}" ]]; then
    echo "Going on without an engine of this computer; the window says what can be done."
    exit 0
  fi
  exit 1
}
if [[ $(id -u) != 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "Run this as root, then try again:"
    echo "  ${command[*]}"
    without
  fi
  root=(sudo)
  echo "To install them, this is run with sudo:"
  echo "  ${command[*]}"
  if [[ ${YES:-} != 1 ]]; then
    answer=
    if [[ -t 0 ]]; then read -rp "Install them now? [y/N] " answer; fi
    if [[ $answer != [yY]* ]]; then
      echo "Nothing was installed. Run the line above yourself, or: YES=1 make $goal"
      without
    fi
  fi
fi
if [[ $family == debian ]]; then
  # The distribution starts its own engine where there is systemd; elsewhere nothing is started here.
  "${root[@]}" apt-get -q update >/dev/null || echo "The package lists could not be renewed; going on with the old ones." >&2
fi
install() {
  case $family in
    debian) "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null ;;
    fedora) "${root[@]}" dnf install -y "$@" ;;
    arch) "${root[@]}" pacman -S --needed --noconfirm "$@" ;;
  esac
}
if ! install "${packages[@]}"; then
  # A system may lack a package of the engine; the window needs none of those.
  ((${#optional[@]})) || exit 1
  mapfile -t packages < <(printf "%s\n" "${missing[@]:0:${#missing[@]}-${#optional[@]}}" | sort -u | sed /^$/d)
  if ((${#packages[@]})); then install "${packages[@]}" || exit 1; fi
  echo "Not everything for an engine could be installed; the window says what can be done." >&2
fi
if ((${#packages[@]})); then echo "Installed: ${packages[*]}"; fi
