"""A guest that boots in seconds: Debian's cloud kernel and an initrd of busybox alone, for both processors.

Its init says what it finds (disks by serial, files handed in), writes to its ready port, counts on the console, and
ends at its power button. The packages come through apt, which checks Debian's signature, without touching this system.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import subprocess
import tempfile
from pathlib import Path
from typing import Literal

from tests.e2e.images import CACHE
from vm.qemu.commandline import Boot

Arch = Literal["x86_64", "aarch64"]
DEBIAN: dict[Arch, str] = {"x86_64": "amd64", "aarch64": "arm64"}
SUITE = "trixie"
MIRROR = "http://deb.debian.org/debian"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
MODULES = (
    "drivers/misc/pvpanic/pvpanic",
    "drivers/misc/pvpanic/pvpanic-pci",
    "drivers/block/virtio_blk",
    "net/core/failover",
    "drivers/net/net_failover",
    "drivers/net/virtio_net",
    "drivers/acpi/button",
    "drivers/input/evdev",
    "drivers/virtio/virtio_input",
    "drivers/virtio/virtio_balloon",
    "drivers/firmware/qemu_fw_cfg",
)
"""In this order; a kernel that has one built in, or not at all, has no such file."""
LEASE = r"""#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add $ip/$mask dev $interface
ip route add default via $router
echo "guest: network $ip via $router dns $dns" >/dev/console
"""
INIT = r"""#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
say() { echo "guest: $*" >/dev/console; }
for module in /lib/*.ko; do insmod $module; done
for disk in /sys/block/vd*; do
  say disk $(cat $disk/serial) of $(cat $disk/size) ro $(cat $disk/ro)
  [ "$(cat $disk/serial)" = data ] && data=/dev/$(basename $disk) sys=$disk
done
for file in /sys/firmware/qemu_fw_cfg/by_name/opt/pilothouse/*/raw; do
  say handed $(basename $(dirname $file)): $(cat $file)
done
word() { dd if=$data bs=1M skip=$1 count=1 2>/dev/null | head -c 64 | tr -d '\0'; }
say begins with $(word 0)
say kept $(word 1)
ip link set lo up; ip link set eth0 up
(udhcpc -q -i eth0 -s /lease >/dev/null 2>&1
while :; do echo hello from the guest | nc -l -p 22; done) &
grep -q test=deaf /proc/cmdline && say deaf && rm /dev/input/event*
for events in /dev/input/event*; do
  (exec 3<$events
  while :; do
    case $(dd bs=24 count=1 <&3 2>/dev/null | hexdump -v -e '24/1 "%02x"') in
      *0100740001000000) say power button; sync; poweroff -f ;;
    esac
  done) &
done
for test in $(cat /proc/cmdline); do
  case $test in
    test=write) echo written by the guest | dd of=$data bs=1M seek=1 conv=fsync 2>/dev/null; say wrote ;;
    test=fill) dd if=/dev/urandom of=$data bs=1M seek=2 count=32 conv=fsync 2>/dev/null; say filled ;;
    test=trim) blkdiscard -o 2097152 -l 33554432 $data; say trimmed ;;
    test=panic) echo c >/proc/sysrq-trigger ;;
  esac
done
for port in /sys/class/virtio-ports/*; do
  [ "$(cat $port/name)" = org.pilothouse.ready ] && echo READY 1 >/dev/$(basename $port)
done
while :; do count=$((count + 1)); say tick $count data $(cat $sys/size); sleep 1; done
"""


def small_guest(arch: Arch) -> Boot:
    """Kernel and initrd, made once and kept in the cache."""
    recipe = hashlib.sha256("\n".join((SUITE, INIT, LEASE, *MODULES)).encode()).hexdigest()[:12]
    kept = CACHE / f"small-guest-{arch}-{recipe}"
    if not kept.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as work:
            made = Path(work) / "made"
            made.mkdir()
            root = _unpacked(arch, Path(work))
            (kernel,) = (root / "boot").glob("vmlinuz-*")
            (made / "kernel").write_bytes(kernel.read_bytes())
            (made / "initrd").write_bytes(gzip.compress(_initrd(root), 9, mtime=0))
            if not kept.is_dir():  # Another run may have been faster.
                made.rename(kept)
    return Boot(kept / "kernel", kept / "initrd")


def _unpacked(arch: Arch, work: Path) -> Path:
    """The packages' files, as apt fetched and checked them."""
    state, root = work / "apt", work / "root"
    for folder in ("lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d", "debs"):
        (state / folder).mkdir(parents=True)
    (state / "status").touch()
    (state / "sources.list").write_text(f"deb [signed-by={KEYS}] {MIRROR} {SUITE} main\n")
    options = {
        "Dir::Etc": state / "etc",
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "APT::Architecture": DEBIAN[arch],
        "APT::Architectures": DEBIAN[arch],
        "APT::Sandbox::User": "root",
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    _run("apt-get", "-q", *words, "update")
    shown = _run("apt-cache", *words, "depends", f"linux-image-cloud-{DEBIAN[arch]}")
    kernel = next(word for word in shown.split() if word.startswith("linux-image-") and word[12].isdigit())
    _run("apt-get", "-q", *words, "download", kernel, "busybox-static", cwd=state / "debs")
    for package in (state / "debs").glob("*.deb"):
        _run("dpkg-deb", "-x", str(package), str(root))
    return root


def _run(*argv: str, cwd: Path | None = None) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, cwd=cwd, timeout=600)
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout


def _initrd(root: Path) -> bytes:
    """A cpio of the kind "newc" (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    out = io.BytesIO()

    def add(name: str, mode: int, content: bytes = b"") -> None:
        fields = [0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        for part in ("070701" + "".join(f"{field:08x}" for field in fields) + name + "\0", content):
            raw = part.encode() if isinstance(part, str) else part
            out.write(raw + b"\0" * (-(out.tell() + len(raw)) % 4))

    for folder in ("bin", "lib", "proc", "sys", "dev"):
        add(folder, 0o40755)
    add("bin/busybox", 0o100755, (root / "usr/bin/busybox").read_bytes())
    add("init", 0o100755, INIT.encode())
    add("lease", 0o100755, LEASE.encode())
    (kernel,) = (root / "usr/lib/modules").glob("*/kernel")
    for number, module in enumerate(MODULES):
        path = kernel / f"{module}.ko.xz"
        if path.exists():
            add(f"lib/{number:02}-{path.name.removesuffix('.xz')}", 0o100644, lzma.decompress(path.read_bytes()))
    add("TRAILER!!!", 0)
    return out.getvalue()
