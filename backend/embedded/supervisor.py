"""The small program that holds one embedded engine: it starts it, keeps its log bounded, and ends with it.

`python -I -S supervisor.py PLAN` with the standard library alone, in a session of its own, so that the engine outlives
the window when it shall. It owns the lock, the state file, slirp4netns and the engine's first process; each of these
dies with it (PR_SET_PDEATHSIG), so a killed supervisor leaves nothing half-alive. SIGTERM asks the engine to end.

The plan is a JSON file: command, environment (in place of what is inherited), without (names that are not inherited),
lock, state, log, log_bytes, cgroup, stale (paths to clear first), facts (copied into the state file) and network, which
is null or {host_net, resolv, binds, slirp: [argv…]}.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO

if __name__ == "__main__":
    sys.path[0:0] = [str(Path(__file__).absolute().parents[2])]

from backend.embedded import identity, namespaces

LOCKED = 75
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
SLIRP_STARTS = 5


class Log:
    """A file that keeps between one and two times `limit` bytes: itself and its predecessor, `.1`."""

    def __init__(self, path: str, limit: int) -> None:
        self.path = path
        self.limit = limit
        self.file = self._open()

    def write(self, text: bytes) -> None:
        """Append; a full disk loses lines, never the engine."""
        with contextlib.suppress(OSError):
            if self.file.tell() + len(text) > self.limit:
                self.file.close()
                os.replace(self.path, self.path + ".1")
                self.file = self._open()
            self.file.write(text)

    def _open(self) -> BinaryIO:
        return open(self.path, "ab", buffering=0, opener=lambda path, flags: os.open(path, flags, 0o600))


class Supervisor:
    """One engine's life."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        inherited = {name: value for name, value in os.environ.items() if name not in plan["without"]}
        self.environment = {**inherited, **plan["environment"]}
        self.log = Log(plan["log"], plan["log_bytes"])
        self.output, self.input = os.pipe()
        os.set_blocking(self.output, False)
        self.engine = 0
        self.slirp: subprocess.Popen[bytes] | None = None
        self.slirp_starts = 0
        self.code = -1

    def run(self) -> int:
        """Start, serve, clean up; returns the engine's exit code."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        waker = _wakeups()
        try:
            self._sweep()
            self._start()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            while self.code < 0:
                self._serve(waker)
            self._drain()
        finally:
            self._clean()
        return self.code

    def say(self, words: str) -> None:
        """A line of ours in the engine's log."""
        self.log.write(f"pilothouse: {words}\n".encode())

    def _start(self) -> None:
        network = self.plan["network"]
        if network is None:
            self.engine = namespaces.fork(self._bare)
        else:
            there_r, there_w = os.pipe()
            go_r, go_w = os.pipe()
            self.engine = namespaces.fork(lambda: self._separate(network, there_w, go_r))
            os.close(there_w)
            os.close(go_r)
            separated = os.read(there_r, 1) == b"1"
            os.close(there_r)
            if separated:
                self._connect()
                os.write(go_w, b"1")
            os.close(go_w)
        self._record()

    def _sweep(self) -> None:
        """What an engine that died left: a stale pid file would keep dockerd from starting."""
        thaw_cgroups(self.plan["cgroup"])
        for path in self.plan["stale"]:
            with contextlib.suppress(OSError):
                os.unlink(path)
            shutil.rmtree(path, ignore_errors=True)

    def _bare(self) -> None:
        namespaces.die_with_parent(signal.SIGTERM)
        self._plumb()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        namespaces.execute(self.plan["command"], self.environment)

    def _separate(self, network: dict[str, Any], there: int, go: int) -> None:
        """In the child: new namespaces, then the first process in them, whose end is ours."""
        namespaces.die_with_parent()
        self._plumb()
        wanted = namespaces.Namespaces(network["host_net"], network["resolv"], tuple(map(tuple, network["binds"])))
        namespaces.separate(wanted)
        first = namespaces.fork(lambda: self._first(wanted, go))
        os.close(go)
        os.write(there, b"1")
        os.close(there)

        def pass_on(number: int, _: object) -> None:
            os.kill(first, number)

        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(name, pass_on)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _, status = os.waitpid(first, 0)
        os._exit(namespaces.exit_code(status))

    def _first(self, wanted: namespaces.Namespaces, go: int) -> None:
        namespaces.die_with_parent()
        if os.read(go, 1) != b"1":
            os._exit(1)
        os.close(go)
        namespaces.settle(wanted)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        cgroup = self.plan["cgroup"]
        namespaces.run_first(self.plan["command"], self.environment, lambda: thaw_cgroups(cgroup))

    def _plumb(self) -> None:
        """Output of the engine goes to our log; a child has no business with our wake-up pipe or the terminal."""
        signal.set_wakeup_fd(-1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(self.input, 1)
        os.dup2(self.input, 2)

    def _connect(self) -> None:
        """slirp4netns, from the host's side: the way out of the namespace. Without it the engine has no network."""
        ready_r, ready_w = os.pipe()
        command = [*self.plan["network"]["slirp"], f"--ready-fd={ready_w}", f"/proc/{self.engine}/ns/net", "tap0"]
        self.slirp_starts += 1
        self.slirp = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self.input,
            stderr=self.input,
            pass_fds=(ready_w,),
            preexec_fn=_as_child,
        )
        os.close(ready_w)
        ready, _, _ = select.select([ready_r], [], [], 10)
        if not ready or os.read(ready_r, 1) != b"1":
            self.say("slirp4netns did not come up; the engine has no way out")
        os.close(ready_r)

    def _serve(self, waker: int) -> None:
        readable, _, _ = select.select([self.output, waker], [], [])
        self._drain()
        if waker in readable:
            for number in set(os.read(waker, 64)):
                self._signalled(number)

    def _signalled(self, number: int) -> None:
        if number != signal.SIGCHLD:
            os.kill(self.engine, signal.SIGTERM)
            return
        pid, status = os.waitpid(self.engine, os.WNOHANG)
        if pid:
            self.code = namespaces.exit_code(status)
        elif self.slirp is not None and self.slirp.poll() is not None and self.slirp_starts < SLIRP_STARTS:
            self.say(f"slirp4netns ended with {self.slirp.returncode}; starting it again")
            self._connect()

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while text := os.read(self.output, 1 << 16):
                self.log.write(text)

    def _record(self) -> None:
        facts = {
            **self.plan["facts"],
            "supervisor": os.getpid(),
            "started": identity.start_time(os.getpid()),
            "engine": self.engine,
        }
        written = self.plan["state"] + ".new"
        with open(written, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            json.dump(facts, file)
        os.replace(written, self.plan["state"])

    def _clean(self) -> None:
        if self.slirp is not None:
            self.slirp.kill()
            self.slirp.wait()
        with contextlib.suppress(OSError):
            os.unlink(self.plan["state"])
        thaw_cgroups(self.plan["cgroup"])
        drop_cgroups(self.plan["cgroup"])


def _as_child() -> None:
    namespaces.die_with_parent()
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _wakeups() -> int:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(writer)
    return reader


def cgroup_tops(name: str) -> list[str]:
    """The engine's control group in every hierarchy."""
    root = "/sys/fs/cgroup"
    if not name or not os.path.isdir(root):
        return []
    parts = [entry.path for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False)]
    return [os.path.join(top, name) for top in (root, *parts)]


def thaw_cgroups(name: str) -> None:
    """Let paused containers of a dead engine go on, and so die: what is frozen outlives SIGKILL in cgroup v1."""
    for top in cgroup_tops(name):
        for folder, _, files in os.walk(top):
            for file, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
                if file in files:
                    with contextlib.suppress(OSError), open(os.path.join(folder, file), "w", encoding="ascii") as gate:
                        gate.write(word)


def drop_cgroups(name: str) -> None:
    """Empty control groups of the engine's containers, in every hierarchy; one that is in use stays."""
    for top in cgroup_tops(name):
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def main(argv: list[str]) -> int:
    """Take the lock (75 when another supervisor holds it) and live the engine's life."""
    with open(argv[0], encoding="utf-8") as file:
        plan = json.load(file)
    lock = os.open(plan["lock"], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return LOCKED
    supervisor = Supervisor(plan)
    try:
        return supervisor.run()
    except OSError as error:
        supervisor.say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
