"""Who holds a port of this computer, as `node (pid 4121)`; each system tells it in its own way."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

_LISTEN = "0A"
"""The state of a listening socket in /proc/net/tcp (include/net/tcp_states.h)."""
_SECONDS = 10
_PROC = Path("/proc")


def holder(port: int, protocol: str = "tcp", *, platform: str = sys.platform) -> str:
    """The program that has it; empty where the system does not tell. Call it in a thread."""
    if platform == "darwin":
        return lsof_holder(_said("lsof", "-nP", "-Fpc", *_lsof_words(port, protocol)))
    if platform == "win32":
        pid = netstat_pid(_said("netstat", "-ano", "-p", protocol), port, protocol)
        return pid and tasklist_holder(_said("tasklist", "/FI", f"PID eq {pid}", "/FO", "CSV", "/NH"), pid)
    return proc_holder(port, protocol)


def proc_holder(port: int, protocol: str = "tcp", proc: Path = _PROC) -> str:
    """As Linux tells it (proc(5)): of other people's programs only to root."""
    sockets = _inodes(port, protocol, proc)
    if not sockets:
        return ""
    try:
        processes = [p for p in proc.iterdir() if p.name.isdigit()]
    except OSError:
        return ""
    for process in processes:
        try:
            for handle in (process / "fd").iterdir():
                if os.readlink(handle) in sockets:
                    return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:
            continue
    return ""


def lsof_holder(said: str) -> str:
    """What `lsof -Fpc` says: a line `p` with the process, then a line `c` with its name."""
    fields = {line[:1]: line[1:].strip() for line in reversed(said.splitlines())}
    return f"{fields['c']} (pid {fields['p']})" if fields.get("c") and fields.get("p", "").isdigit() else ""


def netstat_pid(said: str, port: int, protocol: str) -> str:
    """The process that netstat names: its words are the system's language, its columns are not."""
    for line in said.splitlines():
        words = line.split()
        if len(words) < 4 or words[0].lower() != protocol or words[1].rpartition(":")[2] != str(port):
            continue
        listens = protocol == "udp" or words[2].rpartition(":")[2] == "0"
        if listens and words[-1].isdigit():
            return words[-1]
    return ""


def tasklist_holder(said: str, pid: str) -> str:
    """What `tasklist /FO CSV` says: name, pid and more."""
    rows = [row for row in csv.reader(said.splitlines()) if row[1:2] == [pid]]
    return f"{rows[0][0]} (pid {pid})" if rows else f"pid {pid}"


def _lsof_words(port: int, protocol: str) -> list[str]:
    return [f"-i{protocol.upper()}:{port}", *(["-sTCP:LISTEN"] if protocol == "tcp" else [])]


def _said(*command: str) -> str:
    """What a program of the system says; nothing where it is missing or does not end."""
    window = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False, creationflags=window
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")


def _inodes(port: int, protocol: str, proc: Path) -> frozenset[str]:
    """`socket:[inode]` of what is bound to a port, from /proc/net."""
    if protocol == "sctp":
        return _sctp_inodes(port, proc)
    found: set[str] = set()
    for name in (protocol, f"{protocol}6"):
        try:
            lines = (proc / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if len(words) > 9 and words[1].endswith(f":{port:04X}") and (protocol == "udp" or words[3] == _LISTEN):
                found.add(f"socket:[{words[9]}]")
    return frozenset(found)


def _sctp_inodes(port: int, proc: Path) -> frozenset[str]:
    """The same of SCTP, from a table of its own: LPORT and INODE in decimal (net/sctp/proc.c)."""
    try:
        head, *lines = (line.split() for line in (proc / "net" / "sctp" / "eps").read_text().splitlines())
        port_at, inode_at = head.index("LPORT"), head.index("INODE")
    except (OSError, ValueError):
        return frozenset()
    return frozenset(f"socket:[{w[inode_at]}]" for w in lines if len(w) > inode_at and w[port_at] == str(port))
