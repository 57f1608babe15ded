"""A real dockerd for the tests, started as the embedded engine is, with death and rebirth on request."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from backend.embedded import dockerd, identity
from backend.embedded.launch import launch
from backend.embedded.paths import EmbeddedPaths
from backend.endpoint import UnixSocket

START_SECONDS = 60.0


class Daemon:
    """dockerd in namespaces of its own under a temporary folder; the ports that it publishes answer on this host."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="ph-", dir="/tmp"))
        self.paths = EmbeddedPaths(self.root / "home", self.root / "run")
        self._supervisor: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> UnixSocket:
        return UnixSocket(str(self.paths.socket))

    @property
    def docker_host(self) -> str:
        return f"unix://{self.paths.socket}"

    @property
    def pid(self) -> int:
        """dockerd's process id on this host."""
        assert self._supervisor is not None
        for pid in descendants(self._supervisor.pid):
            if Path(f"/proc/{pid}/comm").read_text().strip() == "dockerd":
                return pid
        raise AssertionError("dockerd does not run")

    def start(self) -> None:
        """Start and wait until it answers."""
        self.paths.make()
        programs = {name: _program(name) for name in ("dockerd", "slirp4netns")}
        dockerd.write_files(
            self.paths, dockerd.plan(self.paths, programs, {"kind": "dockerd", "boot": identity.boot_id()})
        )
        self._supervisor = launch(self.paths)
        limit = time.monotonic() + START_SECONDS
        while not self.answers():
            assert self._supervisor.poll() is None, self.log()
            assert time.monotonic() < limit, self.log()
            time.sleep(0.05)

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            try:
                line.connect(str(self.paths.socket))
                line.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b" 200 " in line.recv(64)
            except OSError:
                return False

    def kill(self) -> None:
        """SIGKILL dockerd, as a crash would; its containers die with it and its socket stays behind."""
        os.kill(self.pid, signal.SIGKILL)
        assert self._supervisor is not None
        self._supervisor.wait(20)

    def suspend(self) -> None:
        """SIGSTOP: it is there and does not answer."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Ask, wait, then force."""
        if self._supervisor is None or self._supervisor.poll() is not None:
            return
        self._supervisor.terminate()
        try:
            self._supervisor.wait(30)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait(10)

    def close(self) -> None:
        """Stop and leave nothing."""
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def log(self) -> str:
        return self.paths.log.read_text(errors="replace")[-4000:] if self.paths.log.exists() else ""


def wait_for(true: Callable[[], bool]) -> None:
    """Until it comes true; it fails after 15 s."""
    for _ in range(300):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come true within 15 s")


def _program(name: str) -> str:
    found = shutil.which(name, path=dockerd.search_path())
    assert found, f"{name} is not installed: make test installs it"
    return found


def descendants(pid: int) -> list[int]:
    """The processes below one."""
    found: list[int] = []
    wanted = [pid]
    while wanted:
        one = wanted.pop()
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            below = [int(word) for word in children.read_text().split()]
            found += below
            wanted += below
    return found
