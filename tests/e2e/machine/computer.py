"""A computer whose person uses the machine through the command line, docker and the window; as an ordinary user."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import certifi
import pytest

from tests.e2e import images
from tests.e2e.guest.machine import built
from tests.e2e.machine.programs import need
from vm.making import ARCHES
from vm.paths import MachinePaths
from vm.qemu.host import this_host
from vm.qemu.identity import identity_of

ROOT = Path(__file__).parents[3]
PATIENCE = 120.0
NOBODY = 65534
HOME = f'it\'s, a: "hömé" $HOME %s 😀 {"deep" * 12}'
"""What a home folder may be called; a socket's path below it would be too long."""
CONNECTED = "03"
"""The state of a unix socket in /proc/net/unix that has somebody on its other side."""
AGAIN = """
import os, subprocess, sys
import PySide6
os.listdir(PySide6.__path__[0])
subprocess.run([sys.executable, "-c", "import vm.supervisor.core"], check=True)
"""
RUNTIME = "from app import paths; print(paths.runtime_dir())"
OWN_FILES = '"$0" --bind "$1" /etc/resolv.conf && "$0" --bind "$2" /etc/hosts && shift 2 && exec "$@"'
OWNER = """
import asyncio, sys, time
from app import paths
from vm.machine import Machine
from vm.paths import MachinePaths
machine = Machine(MachinePaths.below(paths.data_dir(), paths.runtime_dir()))
print(asyncio.run(machine.start()).state, flush=True)
time.sleep(3600)
"""
"""What a window does: it starts the machine and lives on beside it."""


class Computer:
    """A home of its own with the command line in it, and a docker that asks the machine."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "PILOTHOUSE_HOME": str(home), "HOME": str(home)}
        self.environment["QT_QPA_PLATFORM"] = "offscreen"
        for name in [each for each in self.environment if each.startswith(("DOCKER_", "XDG_"))]:
            del self.environment[name]
        self.root = ROOT
        self.python = [_found("nice"), sys.executable]
        if os.getuid() == 0:
            self._become_ordinary()
        self.hosts, self.resolver = home.parent / "hosts", home.parent / "resolv.conf"
        self.trusted = home.parent / "trusted.pem"
        self.plain = self.python[:-1]
        self._change_alone()
        self.machine = home / "data" / "machine"
        self.runtime = Path(self._said(RUNTIME)) / "machine"
        self.socket = self.runtime / "docker.sock"
        self.owner: subprocess.Popen[str] | None = None

    def _become_ordinary(self) -> None:
        """Whoever is root uses the machine as somebody who is not, with a tree that such a one can read."""
        who = [_found("setpriv"), "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
        drop = [_found("nice"), *who, *(f"--{kind}=-all" for kind in ("inh-caps", "ambient-caps", "bounding-set"))]
        said = ""
        for tree in (_tree_here, _tree_for_all):
            root, packages = tree()
            known = os.pathsep.join(str(each) for each in (root, *packages))
            environment = {**self.environment, "PYTHONPATH": known, "PYTHONDONTWRITEBYTECODE": "1"}
            for python in (sys.executable, "/usr/bin/python3"):
                words = [*drop, python, "-c", AGAIN]
                done = subprocess.run(words, cwd="/", env=environment, capture_output=True, check=False)
                if done.returncode == 0:
                    self.root, self.python, self.environment = root, [*drop, python], environment
                    for folder in (self.home.parent, self.home):
                        os.chown(folder, NOBODY, NOBODY)
                    return
                said = done.stderr.decode()[-500:]
        pytest.fail(f"nobody but root can run what is tested here: {said}")

    def _change_alone(self) -> None:
        """Give it a hosts file, a nameserver, authorities and settings of a desktop that only what runs on it sees."""
        for name in [each for each in self.environment if each.lower().endswith("_proxy")]:
            del self.environment[name]
        self.environment.update(GSETTINGS_BACKEND="keyfile", SSL_CERT_FILE=str(self.trusted))
        self.trusted.write_bytes(Path(certifi.where()).read_bytes())
        for file, source in ((self.hosts, "/etc/hosts"), (self.resolver, "/etc/resolv.conf")):
            file.write_bytes(Path(source).read_bytes())
        alone, again = [_found("unshare"), "--mount"], list[str]()
        if os.getuid() != 0:  # Who is nobody special may do that in a name space of users, and is himself again within.
            alone += ["--user", "--map-root-user"]
            again = [_found("unshare"), "--user", f"--map-user={os.getuid()}", f"--map-group={os.getgid()}"]
        mounting = [_found("sh"), "-c", OWN_FILES, _found("mount"), str(self.resolver), str(self.hosts)]
        self.python = [*alone, *mounting, *again, *self.python]

    def _said(self, program: str) -> str:
        command = [*self.python, "-c", program]
        done = subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    @property
    def image(self) -> Path:
        """The folder of the image that the machine starts with."""
        return MachinePaths(self.machine, self.runtime).image

    def cli(self, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """`pilothouse machine …`."""
        command = [*self.python, "-m", "app.cli", "machine", *words]
        known = {**self.environment, **(environment or {})}
        return subprocess.run(
            command, cwd=self.root, env=known, capture_output=True, text=True, timeout=1800, check=False
        )

    def told(self, *words: str, code: int = 0) -> dict[str, Any]:
        """The one line of JSON."""
        done = self.cli(*words, "--json")
        assert done.returncode == code, (done.stdout, done.stderr)
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def create(self) -> None:
        """Make the machine, of the image as the recipe makes it now."""
        image = self.home.parent / "image"
        if not image.exists():
            shutil.copytree(built(ARCHES[this_host().arch]), image)
        assert self.told("create", "--image", str(image), "--cpus", "2", "--disk", "8")["state"] == "stopped"

    def start(self) -> None:
        """Start the machine as a window does."""
        command = [*self.python, "-c", OWNER]
        self.owner = subprocess.Popen(command, cwd=self.root, env=self.environment, stdout=subprocess.PIPE, text=True)
        assert self.owner.stdout is not None
        said = self.owner.stdout.readline()
        assert said == "running\n", self.cli("status").stdout

    def leave(self) -> None:
        """Kill who started it."""
        if self.owner is not None:
            self.owner.kill()
            self.owner.communicate()
            self.owner = None

    @contextmanager
    def window(self) -> Iterator[subprocess.Popen[bytes]]:
        """The program itself, once it uses the engine of the machine."""
        words = [*self.python, "-m", "app.cli"]
        with subprocess.Popen(words, cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL) as process:
            try:
                eventually(lambda: self.callers() > 0 and process.poll() is None)
                yield process
            finally:
                process.kill()

    def callers(self) -> int:
        """How many connections to the machine's socket there are."""
        lines = Path("/proc/net/unix").read_text(errors="replace").splitlines()
        found = [line.split(None, 7) for line in lines if line.endswith(str(self.socket))]
        return sum(fields[5] == CONNECTED for fields in found)

    def docker(self, *words: str, stdin: bytes = b"") -> bytes:
        """What docker says."""
        done = self.tried(*words, stdin=stdin)
        assert done.returncode == 0, (words, done.stderr[-2000:])
        return done.stdout

    def tried(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """What came of asking docker."""
        command = ["docker", "-H", f"unix://{self.socket}", *words]
        return subprocess.run(command, input=stdin, capture_output=True, timeout=600, check=False)

    def interactive(self, *words: str) -> subprocess.Popen[bytes]:
        """A docker that goes on."""
        command = ["docker", "-H", f"unix://{self.socket}", *words]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def busybox(self) -> str:
        """An image of busybox alone, in the machine."""
        if self.tried("image", "inspect", images.BUSYBOX).returncode:
            self.docker("import", "-", images.BUSYBOX, stdin=images.busybox_tar())
        return images.BUSYBOX


def _tree_here() -> tuple[Path, list[Path]]:
    return ROOT, [Path(each) for each in sys.path if each.endswith("site-packages")]


@cache
def _tree_for_all() -> tuple[Path, list[Path]]:
    """What is run here, copied to where everybody may read it: a tree in /root is seen by root alone."""
    root, packages = _tree_here()
    place = Path(tempfile.mkdtemp(prefix="ph-tree-", dir="/tmp"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    place.chmod(0o755)
    for name in ("app", "backend", "vm", "resources", "tests"):
        shutil.copytree(root / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    copies = []
    for number, folder in enumerate(packages):
        copies.append(place / f"packages-{number}")
        shutil.copytree(folder, copies[-1], symlinks=True)
    return place, copies


def _found(name: str) -> str:
    """Where a program is, also for one whose PATH leads nowhere."""
    return str(need(name))


@contextmanager
def a_computer() -> Iterator[Computer]:
    """One whose person has no machine yet; what is left of one at the end is thrown away."""
    for name in (this_host().emulator, "qemu-img", "mksquashfs", "docker"):
        need(name)
    place = Path(tempfile.mkdtemp(prefix="ph-", dir="/tmp"))
    home = place / HOME
    home.mkdir(mode=0o700)
    made = Computer(home)
    try:
        yield made
    finally:
        made.leave()
        made.cli("delete", "--yes", "--timeout", "5")
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(made.runtime.parent, ignore_errors=True)


def eventually(sees: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until it is so."""
    limit = time.monotonic() + seconds
    while not sees():
        assert time.monotonic() < limit
        time.sleep(0.1)


def is_gone(pid: int) -> bool:
    """Whether the process has ended, buried or not."""
    return identity_of(pid).started == ""


def fetched(port: int, address: str = "127.0.0.1") -> bytes:
    """What a web server says; nothing where none answers."""
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=20) as asking:
        asking.sendall(b"GET /said HTTP/1.0\r\n\r\n")
        asking.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: asking.recv(1 << 16), b""))
    return b""
