"""A guest for the tests: its image, built once for each state of the recipe, and QEMU around it, emulating."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.e2e import images
from vm.guest import image
from vm.guest.disk import BLANK
from vm.guest.handover import KERNEL_WORDS, Handover
from vm.guest.manifest import MANIFEST
from vm.guest.trust import mark_built
from vm.making import ARCHES
from vm.qemu.host import this_host

BOOT_SECONDS = 600.0
QUICK = ("-comp", "zstd", "-Xcompression-level", "3", "-b", "256K")
PORT_NAME = "org.pilothouse.ready"
PROGRAMS = {"amd64": "qemu-system-x86_64", "arm64": "qemu-system-aarch64"}
BOARDS = {
    "amd64": ["-machine", "q35,vmport=off", "-cpu", "max"],
    "arm64": ["-machine", "virt,gic-version=3", "-cpu", "cortex-a72"],
}
CONSOLES = {"amd64": "ttyS0", "arm64": "ttyAMA0"}


def built(arch: str) -> Path:
    """The folder of an image of the recipe as it is now; the other processor's is packed in an eighth of the time."""
    cache = images.CACHE / "guest"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"{arch}-{image.recipe_digest(arch)[:16]}"
    with open(cache / f".{arch}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / MANIFEST).exists():
            for old in cache.glob(f"{arch}-*"):
                shutil.rmtree(old)
            here = arch == ARCHES[this_host().arch]
            image.build(arch, folder, cache / "packages", lambda _: None, image.COMPRESSION if here else QUICK)
        mark_built(folder)  # The cache may have come here with a copy of another computer.
    return folder


def blank_disk(path: Path, size: int = 4 << 30) -> Path:
    """A data disk as the host makes it."""
    with path.open("xb") as out:
        out.write(BLANK)
        out.truncate(size)
    return path


class Guest:
    """A running guest: its console, a command over SSH, its end."""

    def __init__(self, folder: Path, disk: Path, *, arch: str = "amd64", more: Sequence[str] = ()) -> None:
        self.folder, self.disk, self.arch, self.more = folder, disk, arch, more
        folder.mkdir(exist_ok=True)
        for name in ("user", "host"):
            if not (folder / name).exists():
                command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
                subprocess.run(command, check=True)
        self.serial = "data"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start QEMU; the guest boots on its own."""
        for name in ("console", "words", "qmp"):
            (self.folder / name).unlink(missing_ok=True)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        (self.folder / "known").write_text(f"[127.0.0.1]:{self.port} {(self.folder / 'host.pub').read_text()}")
        with open(self.folder / "qemu", "wb") as words:
            self._process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=words, stderr=words)

    def _command(self) -> list[str]:
        image_folder, here = built(self.arch), self.folder
        boot = f"console={CONSOLES[self.arch]} {KERNEL_WORDS} panic=1"
        words = ["nice", PROGRAMS[self.arch], "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
        words += [*BOARDS[self.arch], "-accel", "tcg,thread=single,tb-size=512", "-smp", "2", "-m", "2048"]
        words += ["-kernel", str(image_folder / "kernel"), "-initrd", str(image_folder / "initrd"), "-append", boot]
        drives = (("root", image_folder / "root", "readonly=on"), (self.serial, self.disk, "discard=unmap"))
        for name, path, options in drives:
            words += ["-drive", f"file={path},if=none,id={name},format=raw,{options}"]
            words += ["-device", f"virtio-blk-pci,drive={name},serial={name}"]
        words += ["-netdev", f"user,id=n0,net=198.51.100.0/24,ipv6=off,hostfwd=tcp:127.0.0.1:{self.port}-:22"]
        words += ["-device", "virtio-net-pci,netdev=n0,romfile=", "-device", "virtio-rng-pci"]
        words += ["-device", "virtio-serial-pci,max_ports=2", "-chardev", f"file,id=w,path={here}/words"]
        words += ["-device", f"virtserialport,chardev=w,name={PORT_NAME}"]
        words += ["-serial", f"file:{here}/console", "-qmp", f"unix:{here}/qmp,server=on,wait=off"]
        if self.arch == "arm64":
            words += ["-device", "virtio-keyboard-pci"]
        for name, path in self._handed().items():
            words += ["-fw_cfg", f"name=opt/pilothouse/{name},file={path}"]
        return [*words, *self.more]

    def _handed(self) -> Mapping[str, Path]:
        key = (self.folder / "user.pub").read_text().strip()
        values = Handover(key, (self.folder / "host").read_text(), hostname="harbour").files()
        folder = self.folder / "handed"
        folder.mkdir(exist_ok=True)
        for name, value in values.items():
            (folder / name).write_bytes(value)
        return {name: folder / name for name in values}

    @property
    def console(self) -> str:
        """Everything that the guest said on its console."""
        path = self.folder / "console"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_for(self, words: str, seconds: float = BOOT_SECONDS) -> str:
        """Wait for a line of the console that holds these words."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            for line in self.console.splitlines():
                if words in line:
                    return line
            assert self._process is not None
            assert self._process.poll() is None, (
                f"QEMU ended: {(self.folder / 'qemu').read_text()}\n{self.console[-3000:]}"
            )
            time.sleep(0.1)
        raise AssertionError(f"{words!r} did not come:\n{self.console[-3000:]}")

    def ssh(self, command: str, stdin: bytes | None = None, *, options: Sequence[str] = (), check: bool = True) -> str:
        """Run a command in the guest → its standard output."""
        words = [
            "ssh",
            "-q",
            "-F",
            "none",
            "-p",
            str(self.port),
            "-i",
            str(self.folder / "user"),
            "-o",
            "IdentitiesOnly=yes",
        ]
        words += ["-o", f"UserKnownHostsFile={self.folder / 'known'}", "-o", "StrictHostKeyChecking=yes", *options]
        done = subprocess.run(
            [*words, "root@127.0.0.1", command], input=stdin, capture_output=True, timeout=300, check=False
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout[-2000:]!r} {done.stderr[-2000:]!r}"
        return done.stdout.decode(errors="replace")

    def eventually(self, command: str, words: str, seconds: float = 120.0) -> str:
        """Run a command until these words are in what it says."""
        limit = time.monotonic() + seconds
        while words not in (said := self.ssh(command, check=False)):
            assert time.monotonic() < limit, f"{command}: {said[-2000:]}"
            time.sleep(0.3)
        return said

    def power(self) -> None:
        """Press the power button and wait until QEMU has ended."""
        press = "system_powerdown"
        arguments: dict[str, object] = {}
        if self.arch == "arm64":
            press, arguments = "send-key", {"keys": [{"type": "qcode", "data": "power"}]}
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self.folder / "qmp"))
            stream = monitor.makefile("rwb")
            stream.readline()
            for command in ({"execute": "qmp_capabilities"}, {"execute": press, "arguments": arguments}):
                stream.write(json.dumps(command).encode())
                stream.flush()
                stream.readline()
            stream.close()
        assert self._process is not None
        self._process.wait(120)

    def kill(self) -> None:
        """The end without a warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None


def allocated(path: Path) -> int:
    """The bytes that a file takes on this computer's disk."""
    return os.stat(path).st_blocks * 512
