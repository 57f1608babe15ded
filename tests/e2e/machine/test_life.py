"""The machine as a person has it: made, started, used by docker, killed in every way, started again, thrown away."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import images
from tests.e2e.guest.machine import built
from tests.e2e.machine.programs import need
from vm.making import ARCHES
from vm.qemu.commandline import free_port
from vm.qemu.host import this_host
from vm.qemu.identity import identity_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
ROOT = Path(__file__).parents[3]
PATIENCE = 120.0
NOBODY = 65534
AGAIN = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import vm.supervisor.core'], check=True)"
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
        self.python = ["nice", sys.executable]
        if os.getuid() == 0:
            self._become_ordinary()
        self.socket = home / "run" / "machine" / "docker.sock"
        self.owner: subprocess.Popen[str] | None = None

    def _become_ordinary(self) -> None:
        """Whoever is root uses the machine as somebody who is not, where that one may read what is run here."""
        packages = [each for each in sys.path if each.endswith("site-packages")]
        known = os.pathsep.join((str(ROOT), *packages))
        environment = {**self.environment, "PYTHONPATH": known, "PYTHONDONTWRITEBYTECODE": "1"}
        drop = ["nice", "setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
        drop += ["--inh-caps=-all", "--bounding-set=-all"]
        for python in (sys.executable, "/usr/bin/python3"):
            words = [*drop, python, "-c", AGAIN]
            with contextlib.suppress(OSError):
                if subprocess.run(words, cwd="/", env=environment, capture_output=True, check=False).returncode == 0:
                    self.python, self.environment = [*drop, python], environment
                    os.chown(self.home, NOBODY, NOBODY)
                    return

    def cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`pilothouse machine …`."""
        command = [*self.python, "-m", "app.cli", "machine", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=1800, check=False
        )

    def told(self, *words: str, code: int = 0) -> dict[str, Any]:
        """The one line of JSON."""
        done = self.cli(*words, "--json")
        assert done.returncode == code, (done.stdout, done.stderr)
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def start(self) -> None:
        """Start the machine as a window does."""
        command = [*self.python, "-c", OWNER]
        self.owner = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True)
        assert self.owner.stdout is not None
        said = self.owner.stdout.readline()
        assert said == "running\n", self.cli("status").stdout

    def docker(self, *words: str, stdin: bytes = b"") -> bytes:
        """What docker says."""
        command = ["docker", "-H", f"unix://{self.socket}", *words]
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=600, check=False)
        assert done.returncode == 0, (words, done.stderr[-2000:])
        return done.stdout

    def interactive(self, *words: str) -> subprocess.Popen[bytes]:
        """A docker that goes on."""
        command = ["docker", "-H", f"unix://{self.socket}", *words]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.fixture(scope="module")
def computer() -> Iterator[Computer]:
    """A machine that runs; the tests below use it up in their order."""
    for name in (this_host().emulator, "qemu-img", "mksquashfs", "docker"):
        need(name)
    home = Path(tempfile.mkdtemp(prefix="ph-", dir="/tmp"))
    made = Computer(home)
    try:
        image = shutil.copytree(built(ARCHES[this_host().arch]), home / "image")
        said = made.told("create", "--image", str(image), "--cpus", "2", "--disk", "8")
        assert said["state"] == "stopped"
        made.start()
        yield made
    finally:
        if made.owner is not None:
            made.owner.kill()
            made.owner.communicate()
        made.cli("delete", "--yes", "--timeout", "5")
        shutil.rmtree(home, ignore_errors=True)


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


def test_it_runs_and_names_its_socket_which_is_for_this_person_alone(computer: Computer) -> None:
    said = computer.told("status")
    assert said["state"] == "running"
    assert said["qemu"] == "running"
    assert said["host"] == f"unix://{computer.socket}"
    assert stat.S_IMODE(computer.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(computer.socket.parent.stat().st_mode) == 0o700
    assert computer.docker("version", "--format", "{{.Server.Version}}").decode().strip() == said["engine"]
    private = (computer.home / "data" / "machine" / "keys" / "user").read_text().splitlines()[1]
    for pid in (said["pid"], said["supervisor"]):
        assert Path(f"/proc/{pid}").stat().st_uid == computer.home.stat().st_uid
        assert private not in Path(f"/proc/{pid}/cmdline").read_text()


def test_a_second_start_finds_the_one_that_runs(computer: Computer) -> None:
    before = computer.told("status")
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: computer.told("start"), range(3)))
    assert {(each["pid"], each["supervisor"]) for each in found} == {(before["pid"], before["supervisor"])}
    again = [*computer.python, "-m", "vm.supervisor", str(computer.home / "data/machine"), str(computer.socket.parent)]
    assert subprocess.run(again, cwd=ROOT, env=computer.environment, check=False).returncode == 75
    assert computer.told("create", code=1)["error"] == "MachineExists"


def test_what_a_container_publishes_answers_here(computer: Computer) -> None:
    computer.docker("import", "-", images.BUSYBOX, stdin=images.busybox_tar())
    everywhere, private = free_port(), free_port()
    serve = "mkdir -p /www && echo hello > /www/said && exec httpd -f -p 80 -h /www"
    ports = ["-p", f"{everywhere}:80", "-p", f"127.0.0.1:{private}:80"]
    computer.docker("run", "-d", "--name", "web", *ports, "-v", "kept:/kept", images.BUSYBOX, "sh", "-c", serve)
    eventually(lambda: fetched(everywhere).endswith(b"hello\n"))
    eventually(lambda: fetched(private).endswith(b"hello\n"))
    listening = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
    assert f"127.0.0.1:{private} " in listening
    assert f"0.0.0.0:{private} " not in listening
    assert f"0.0.0.0:{everywhere} " in listening
    shown = {(each["address"], each["port"]) for each in computer.told("status")["ports"]}
    assert {("0.0.0.0", everywhere), ("127.0.0.1", private)} <= shown

    computer.docker("stop", "-t", "1", "web")
    eventually(lambda: f":{everywhere} " not in subprocess.check_output(["ss", "-Hltn"], text=True))
    computer.docker("start", "web")
    eventually(lambda: fetched(everywhere).endswith(b"hello\n"))


def test_udp_answers_two_clients_at_once(computer: Computer) -> None:
    port = free_port()
    server = ("/usr/sbin/dnsmasq", "-d", "-C", "/dev/null", "-R", "-h", "-A", "/#/192.0.2.7")
    within = ["-v", "/:/guest:ro", "-p", f"{port}:53/udp", images.BUSYBOX]
    computer.docker("run", "-d", "--name", "names", *within, "chroot", "/guest", *server)
    question = b"\1\0\0\1\0\0\0\0\0\0\4here\4test\0\0\1\0\1"

    def answered(asking: socket.socket, number: bytes) -> bool:
        with contextlib.suppress(OSError):
            asking.send(number + question)
            answer = asking.recv(512)
            return answer[:2] == number and answer.endswith(bytes((192, 0, 2, 7)))
        return False

    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
        for each in (one, two):
            each.settimeout(2)
            each.connect(("127.0.0.1", port))
        eventually(lambda: answered(one, b"11"))
        eventually(lambda: answered(two, b"22"))
        eventually(lambda: answered(one, b"33"))
    computer.docker("rm", "-f", "names")


def test_a_port_that_is_taken_here_is_told_and_others_go_on(computer: Computer) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        computer.docker("run", "-d", "--name", "late", "-p", f"0.0.0.0:{port}:80", images.BUSYBOX, "httpd", "-f")

        def refused() -> bool:
            return any(each["port"] == port and each["error"] for each in computer.told("status")["ports"])

        eventually(refused)
    computer.docker("rm", "-f", "late")


def test_what_is_piped_in_comes_back_whole_and_ends(computer: Computer) -> None:
    content = os.urandom(3 << 20)
    assert computer.docker("exec", "-i", "web", "cat", stdin=content) == content


def test_a_hundred_connections_at_once(computer: Computer) -> None:
    every = [socket.socket(socket.AF_UNIX) for _ in range(100)]
    try:
        for each in every:
            each.settimeout(PATIENCE)
            each.connect(str(computer.socket))
        for each in every:
            each.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        for each in every:
            with each.makefile("rb") as answer:
                assert answer.read().endswith(b"OK")
    finally:
        for each in every:
            each.close()


def test_the_end_of_the_window_is_not_the_end_of_the_machine(computer: Computer) -> None:
    before = computer.told("status")
    with computer.interactive("exec", "-i", "web", "cat") as going:
        assert going.stdin is not None
        assert going.stdout is not None
        going.stdin.write(b"before\n")
        going.stdin.flush()
        assert going.stdout.readline() == b"before\n"
        assert computer.owner is not None
        computer.owner.send_signal(signal.SIGKILL)
        computer.owner.communicate()
        computer.owner = None
        going.stdin.write(b"after\n")
        going.stdin.flush()
        assert going.stdout.readline() == b"after\n"
        going.stdin.close()
        assert going.stdout.read() == b""
        assert going.wait(60) == 0
    after = computer.told("status")
    assert (after["state"], after["pid"], after["supervisor"]) == ("running", before["pid"], before["supervisor"])


def test_the_way_into_it_is_made_anew_when_it_broke(computer: Computer) -> None:
    ports = [each["port"] for each in computer.told("status")["ports"] if each["address"] == "127.0.0.1"]
    before = computer.told("status")
    with computer.interactive("exec", "-i", "web", "cat") as going:
        cut = ("run", "--rm", "--pid=host", "--privileged", images.BUSYBOX, "killall", "-9", "sshd", "sshd-session")
        with computer.interactive(*cut) as cutting:
            assert cutting.wait(PATIENCE) != 0  # It loses its own connection with all others.
        assert going.wait(PATIENCE) != 0
    eventually(lambda: computer.cli("status").returncode == 0)
    assert computer.told("status")["pid"] == before["pid"]
    eventually(lambda: fetched(ports[0]).endswith(b"hello\n"))
    port = free_port()
    computer.docker("run", "-d", "--name", "new", "-p", f"{port}:80", images.BUSYBOX, "httpd", "-f")
    eventually(lambda: fetched(port) != b"")
    computer.docker("rm", "-f", "new")


def test_a_clock_that_is_wrong_is_put_right(computer: Computer) -> None:
    computer.docker("run", "--rm", "--privileged", images.BUSYBOX, "date", "-s", f"@{time.time() - 3600:.0f}")
    eventually(
        lambda: abs(int(computer.docker("run", "--rm", images.BUSYBOX, "date", "+%s")) - time.time()) < 30, seconds=300
    )


def test_a_qemu_that_is_killed_is_told_with_the_consoles_last_lines_and_nothing_is_lost(computer: Computer) -> None:
    computer.docker("exec", "web", "sh", "-c", "echo precious > /kept/said && sync")
    said = computer.told("status")
    ports = [each["port"] for each in said["ports"] if each["address"] == "0.0.0.0"]
    os.kill(said["pid"], signal.SIGKILL)
    eventually(lambda: computer.told("status", code=3)["state"] == "failed")
    failed = computer.told("status", code=3)
    assert failed["failure"]["kind"] == "MachineEnded"
    assert any(line.startswith("READY") for line in failed["failure"]["console"])
    assert "READY" in computer.cli("status").stdout
    assert not computer.socket.exists()

    again = computer.told("start")
    assert again["state"] == "running"
    assert again["pid"] != said["pid"]
    assert images.BUSYBOX in computer.docker("images", "--format", "{{.Repository}}:{{.Tag}}").decode()
    computer.docker("start", "web")
    assert computer.docker("exec", "web", "cat", "/kept/said") == b"precious\n"
    eventually(lambda: fetched(ports[0]).endswith(b"hello\n"))


def test_a_supervisor_that_is_killed_leaves_a_machine_that_can_be_stopped(computer: Computer) -> None:
    said = computer.told("status")
    os.kill(said["supervisor"], signal.SIGKILL)
    eventually(lambda: computer.told("status", code=3)["state"] == "unresponsive")
    assert computer.told("stop")["state"] == "stopped"
    assert is_gone(said["pid"])


def test_it_stops_when_asked_and_is_deleted_when_confirmed(computer: Computer) -> None:
    again = computer.told("restart")
    assert computer.docker("ps", "-aq", "-f", "name=web")
    assert computer.told("stop", "--timeout", "60")["state"] == "stopped"
    assert not computer.socket.exists()
    assert is_gone(again["pid"])
    assert "stop: asked" in (computer.home / "data" / "machine" / "supervisor.log").read_text()
    assert computer.told("status", code=3)["state"] == "stopped"
    assert computer.told("delete", code=2)["error"] == "NotConfirmed"
    assert computer.told("delete", "--yes")["state"] == "absent"
    assert not (computer.home / "data" / "machine").exists()
