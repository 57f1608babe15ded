"""The exact command line of a machine, per platform; everything that a person could name travels as a file or as JSON.

Sources: qemu(1), docs/system/{i386/pc,arm/virt,devices/virtio-*}.rst of QEMU.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from vm.qemu.accelerators import Accelerator
from vm.qemu.errors import FolderUnnameable
from vm.qemu.finding import Qemu, Version
from vm.qemu.host import Arch, Host

SUBNET = "198.51.100.0/24"
"""RFC 5737 keeps it for documentation: no company, home or VPN has an address there that the guest could need."""
SAFE_THREADS: Version = (8, 1, 0)
"""The QEMU from which on each processor of an emulated guest may have a thread of its own."""
READY_PORT = "org.pilothouse.ready"
"""The guest's virtio-serial port (/dev/virtio-ports/…); what it writes is read by the monitor."""
ROOT, DATA, NET, READY = "root", "data", "net", "ready"
FW_CFG = "opt/pilothouse"
SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
NAME_LIMIT = 55
"""Bytes of a fw_cfg file's whole name (FW_CFG_MAX_FILE_PATH 56, its NUL among them)."""


Power = Literal["acpi", "key"]


class Boot(msgspec.Struct, frozen=True):
    """What the guest starts from. `words` go to its kernel, after those that this module needs itself."""

    kernel: Path
    initrd: Path
    words: str = ""


class Drives(msgspec.Struct, frozen=True):
    """The read-only root (raw: a squashfs or erofs as it is) and the qcow2 that keeps everything."""

    root: Path
    data: Path


class Hardware(msgspec.Struct, frozen=True):
    """`memory` in MiB."""

    cpus: int
    memory: int


class Machine(msgspec.Struct, frozen=True):
    """All that makes one machine. `handed` are files for the guest by name; secrets stay in them, never in argv.

    `halted`: the guest does not begin, since a saved one is going to be woken.

    QEMU works in `folder`: whatever lies in it is named from there, so that no letter of the person's home has to pass
    through a command line (on Windows that is not Unicode).
    """

    folder: Path
    boot: Boot
    drives: Drives
    hardware: Hardware
    ssh_port: int
    handed: tuple[tuple[str, Path], ...] = ()
    subnet: str = SUBNET
    halted: bool = False

    @property
    def console(self) -> Path:
        """What the guest's kernel says."""
        return self.folder / "serial.log"

    @property
    def words(self) -> Path:
        """What QEMU itself says."""
        return self.folder / "qemu.log"

    def named(self, path: Path) -> str:
        """A path as QEMU gets it. Raises FolderUnnameable."""
        try:
            named = str(path.relative_to(self.folder) if path.is_relative_to(self.folder) else path)
            named.encode()
        except UnicodeEncodeError as error:
            raise FolderUnnameable(str(path)) from error
        return named


def power_of(arch: Arch) -> Power:
    """How the guest's power button is pressed: `virt` without firmware has none for a kernel without gpio-keys."""
    return "acpi" if arch == "x86_64" else "key"


def escaped(value: str) -> str:
    """A value among QEMU's comma-separated options: a comma is doubled, nothing else has a meaning."""
    return value.replace(",", ",,")


def console_name(arch: Arch) -> str:
    """The guest's serial device: it speaks from the first instruction, before any driver, so a panic is seen."""
    return "ttyAMA0" if arch == "aarch64" else "ttyS0"


def base(qemu: Qemu, host: Host, accelerator: Accelerator, *, sandbox: bool) -> list[str]:
    """What every guest gets, a trial one as well: the board, the accelerator, and nothing by default."""
    words = [str(qemu.program)]
    if qemu.firmware is not None:
        words += ["-L", str(qemu.firmware)]
    words += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-name", "pilothouse"]
    if sandbox:
        words += ["-sandbox", SANDBOX]
    words += ["-machine", _board(host.arch, accelerator), "-accel", _accel(qemu, accelerator), "-cpu", accelerator.cpu]
    if host.arch == "x86_64":
        for state in ("s3", "s4"):
            words += ["-global", f"ICH9-LPC.disable_{state}=1"]
    return words


def _board(arch: Arch, accelerator: Accelerator) -> str:
    if arch == "x86_64":
        return "q35,vmport=off,smm=off,dump-guest-core=off"
    return f"virt,gic-version={'max' if accelerator.name == 'kvm' else '3'},dump-guest-core=off"


def _accel(qemu: Qemu, accelerator: Accelerator) -> str:
    if accelerator.name != "tcg":
        return accelerator.name
    # An older QEMU may keep a translation of code that another processor of the guest changed meanwhile, and a kernel
    # that patches itself then dies (accel/tcg of 8.1 locks pages before it translates).
    threads = "multi" if qemu.version >= SAFE_THREADS else "single"
    return f"tcg,thread={threads},tb-size=512"


def kernel(boot: Boot, arch: Arch, named: Callable[[Path], str] = str) -> list[str]:
    """Direct boot: no firmware menu, no boot loader. A panic restarts, and that ends QEMU (-no-reboot)."""
    words = [f"console={console_name(arch)}", "panic=1"]
    if arch == "x86_64":
        # A busy host lets an emulated guest wait longer for its first ticks than its kernel believes a timer may need,
        # and it panics: "IO-APIC + timer doesn't work!".
        words.append("no_timer_check")
    append = " ".join((*words, boot.words)).rstrip()
    return ["-kernel", named(boot.kernel), "-initrd", named(boot.initrd), "-append", append]


def argv(qemu: Qemu, host: Host, accelerator: Accelerator, machine: Machine, *, sandbox: bool) -> list[str]:
    """The whole command line. The monitor is on standard input and output, the guest's console in a file."""
    words = base(qemu, host, accelerator, sandbox=sandbox)
    words += ["-smp", str(machine.hardware.cpus), "-m", str(machine.hardware.memory)]
    words += kernel(machine.boot, host.arch, machine.named)
    words += _drive(ROOT, machine.named(machine.drives.root)) + _drive(DATA, machine.named(machine.drives.data))
    words += _network(machine)
    words += ["-device", "virtio-rng-pci"]
    if host.system == "linux":  # Elsewhere the host does not take back what a balloon gives (libkrun#703).
        words += ["-device", "virtio-balloon-pci,free-page-reporting=on"]
    words += ["-device", "virtio-serial-pci,max_ports=2"]
    words += ["-chardev", f"ringbuf,id={READY},size=4096"]
    words += ["-device", f"virtserialport,id={READY},chardev={READY},name={READY_PORT}"]
    words += [
        "-chardev",
        f"file,id=console,path={escaped(machine.named(machine.console))},append=on",
        "-serial",
        "chardev:console",
    ]
    if power_of(host.arch) == "key":
        words += ["-device", "virtio-keyboard-pci"]
    if host.arch == "x86_64":  # Debian's kernel for the other has no driver.
        words += ["-device", "pvpanic-pci"]
    for name, path in machine.handed:
        words += ["-fw_cfg", f"name={_fw_cfg_name(name)},file={escaped(machine.named(path))}"]
    if machine.halted:
        words += ["-S"]
    return [*words, "-chardev", "stdio,id=qmp,signal=off", "-mon", "chardev=qmp,mode=control"]


def _drive(name: str, path: str) -> list[str]:
    file: dict[str, Any] = {"driver": "file", "filename": path, "node-name": f"{name}-file"}
    node: dict[str, Any] = {"driver": "raw", "node-name": name, "file": file}
    device = f"virtio-blk-pci,drive={name},serial={name}"
    if name == ROOT:
        file["read-only"] = node["read-only"] = True
    else:
        file["discard"] = node["discard"] = node["detect-zeroes"] = "unmap"
        node["driver"] = "qcow2"
        device += ",discard=on,write-zeroes=on,werror=stop,rerror=report"
    return ["-blockdev", msgspec.json.encode(node).decode(), "-device", device]


def gateway_of(subnet: str = SUBNET) -> str:
    """This computer's address in the guest's network; QEMU leads it to our loopback."""
    return f"{subnet.rpartition('.')[0]}.2"


def _network(machine: Machine) -> list[str]:
    prefix = machine.subnet.rpartition(".")[0]
    options = f"net={machine.subnet},host={gateway_of(machine.subnet)},dns={prefix}.3,dhcpstart={prefix}.15,ipv6=off"
    forward = f"hostfwd=tcp:127.0.0.1:{machine.ssh_port}-:22"
    return ["-netdev", f"user,id={NET},{options},{forward}", "-device", f"virtio-net-pci,netdev={NET},romfile="]


def _fw_cfg_name(name: str) -> str:
    whole = f"{FW_CFG}/{name}"
    if not name or not whole.isascii() or "," in whole or len(whole) > NAME_LIMIT:
        raise ValueError(f"not a name for the guest: {name!r}")
    return whole


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on at this moment; somebody may still be faster than QEMU."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
