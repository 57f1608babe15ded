"""The engine's own namespaces (mounts, network, processes) and the first process in them; run by the supervisor alone.

Everything of the engine lives under one process-id namespace whose first process is ours: when that one ends, for
whatever reason, the kernel ends dockerd, containerd, shims and containers with it, and mounts and bridges go too.
Standard library alone, since it runs without the program's packages.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
from collections.abc import Callable
from typing import NamedTuple, NoReturn

CLONE_NEWNS = 0x00020000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
MS_BIND, MS_REC, MS_SLAVE = 4096, 16384, 1 << 19
PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

_libc = ctypes.CDLL(None, use_errno=True)


class Namespaces(NamedTuple):
    """What is laid over the host's files inside: the handle of the host's network, resolv.conf, (from, to) pairs."""

    host_net: str
    resolv: str
    binds: tuple[tuple[str, str], ...]


def die_with_parent(signal_number: int = signal.SIGKILL) -> None:
    """Let the kernel send this process a signal when the thread that started it ends."""
    _libc.prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)


def separate(wanted: Namespaces) -> None:
    """Leave the host's namespaces; process ids change for the next child. OSError where the kernel forbids it."""
    _unshare(CLONE_NEWNS)
    mount("none", "/", "", MS_REC | MS_SLAVE)
    with open(wanted.host_net, "wb"):
        pass
    mount("/proc/self/ns/net", wanted.host_net, "", MS_BIND)
    _unshare(CLONE_NEWNET | CLONE_NEWPID)


def settle(wanted: Namespaces) -> None:
    """As the first process inside: own /proc, loopback up, own resolver, binds to addresses that only the host has."""
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    link_up("lo")
    resolver = os.path.realpath("/etc/resolv.conf")
    if os.path.exists(resolver):
        mount(wanted.resolv, resolver, "", MS_BIND)
    for source, target in wanted.binds:
        os.makedirs(target, exist_ok=True)
        mount(source, target, "", MS_BIND)
    for family in ("ipv4", "ipv6"):
        _write(f"/proc/sys/net/{family}/ip_nonlocal_bind", "1")
    _cgroups()


def run_first(command: list[str], environment: dict[str, str], at_end: Callable[[], object]) -> NoReturn:
    """Start the engine, pass SIGTERM on to it, bury orphans, do `at_end` once it is gone, and end as it ended."""
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        execute(command, environment)

    def pass_on(number: int, _: object) -> None:
        os.kill(child, number)

    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, pass_on)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    while True:
        pid, status = os.wait()
        if pid == child:
            with contextlib.suppress(OSError):
                at_end()
            os._exit(exit_code(status))


def execute(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Become the command; 127 when it cannot be started."""
    try:
        os.execve(command[0], command, environment)  # noqa: S606 (an argument list with an absolute path)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    os._exit(127)


def exit_code(status: int) -> int:
    """A wait status as a shell's exit code."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def fork(work: Callable[[], object]) -> int:
    """A child that does `work` and ends, 1 with the reason on stderr when it raises. Returns its process id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except OSError as error:
        os.write(2, f"pilothouse: {error}\n".encode())
    finally:
        os._exit(code)


def mount(source: str, target: str, kind: str, flags: int) -> None:
    """What the system call of that name does; OSError names the target."""
    done = _libc.mount(os.fsencode(source), os.fsencode(target), kind.encode() or None, ctypes.c_ulong(flags), None)
    if done != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def link_up(name: str) -> None:
    """Bring a network interface up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ask:
        request = struct.pack("16sh14x", name.encode(), 0)
        _, flags = struct.unpack("16sh14x", fcntl.ioctl(ask, SIOCGIFFLAGS, request))
        fcntl.ioctl(ask, SIOCSIFFLAGS, struct.pack("16sh14x", name.encode(), flags | IFF_UP))


def _cgroups() -> None:
    """A bare root (a chroot) may lack the control group mount that dockerd needs."""
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
        kinds = {line.split()[2] for line in mounts}
    if not kinds & {"cgroup", "cgroup2"} and os.path.isdir("/sys/fs/cgroup"):
        mount("cgroup2", "/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def _unshare(flags: int) -> None:
    if _libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    except OSError:
        return
