"""What a machine is at this moment, as its supervisor says it: lines of JSON on the control socket."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from vm.paths import write_private

State = Literal["absent", "stopped", "starting", "running", "unresponsive", "stopping", "failed", "suspended", "asleep"]
"""`unresponsive`: QEMU lives, and the engine in it does not answer; `qemu` of the report says what QEMU thinks.

`suspended`: saved to disk, and the next start goes on from there; `asleep`: ended or saved for want of work, and
whoever connects to the socket wakes it.
"""
Progress = Literal["begun", "met", "failed"]


class Step(msgspec.Struct, frozen=True):
    """A requirement of the start: how far it is, what it tells ("data ok"), and its seconds once it is met."""

    name: str
    progress: Progress
    told: str = ""
    seconds: float = 0.0


class Failure(msgspec.Struct, frozen=True):
    """Why the machine is not running though it should be: `kind` names the error, `console` ends the guest's words."""

    step: str
    kind: str
    reason: str
    console: tuple[str, ...] = ()


Reason = Literal["", "taken", "forbidden", "reserved", "absent", "unreachable", "failed"]
"""Why a published port does not answer on this computer.

taken: another program has it; forbidden: only root may; reserved: Windows keeps it for itself; absent: there is no such
address here; unreachable: UDP on IPv6, which the machine's network has not; failed: for the reason in `words`.
"""


class Published(msgspec.Struct, frozen=True):
    """A port that a container publishes; one with an `error` does not answer, and is tried again until it does.

    `holder`: the program that has it, as `node (pid 4121)`, empty where nobody knows. `words` are the system's.
    """

    protocol: str
    address: str
    port: int
    error: Reason = ""
    holder: str = ""
    words: str = ""


class Surroundings(msgspec.Struct, frozen=True):
    """What of this computer the guest lives by: the resolver that it asks, proxies without who signs in to them.

    `no_proxy` are names that are reached without one, `authorities` counts what it was given; `error` says why it
    could not be told of a change.
    """

    resolver: str = ""
    proxy: str = ""
    no_proxy: tuple[str, ...] = ()
    authorities: int = 0
    error: str = ""


class ShareState(msgspec.Struct, frozen=True):
    """A folder that is to be shared; `reason` says why the machine does not see it, `unwatched` why not its changes."""

    path: str
    reason: str = ""
    unwatched: str = ""


class LowDisk(msgspec.Struct, frozen=True):
    """Little is free on the host's disk that holds the machine, or on the guest's own: bytes, of `size`.

    `stopped`: the guest stands still for want of room, and goes on by itself when there is some.
    """

    where: Literal["host", "guest"]
    free: int
    size: int
    path: str = ""
    stopped: bool = False


class Report(msgspec.Struct, frozen=True):
    """All that can be said of a machine. `socket` is where its engine answers while it runs, `pid` is QEMU's.

    `suspendable` is empty where a running machine can be suspended, else why it cannot.
    `image` is the version of the image that it starts with, `rollback` the one from before that is kept ("": none).
    """

    state: State
    socket: str = ""
    pid: int = 0
    supervisor: int = 0
    qemu: str = ""
    engine: str = ""
    accelerator: str = ""
    ssh_port: int = 0
    steps: tuple[Step, ...] = ()
    ports: tuple[Published, ...] = ()
    failure: Failure | None = None
    surroundings: Surroundings = Surroundings()
    suspendable: str = ""
    warnings: tuple[LowDisk, ...] = ()
    image: str = ""
    rollback: str = ""
    shares: tuple[ShareState, ...] = ()


class Ask(msgspec.Struct, frozen=True):
    """A question: status, follow (a report at each change until the start is over), stop or suspend (in `seconds`).

    Who follows wants it to run: one that is asleep wakes. `mend` opens the local socket anew where it is gone,
    `share` shares what the settings say now.
    """

    ask: Literal["status", "follow", "stop", "suspend", "mend", "share"]
    seconds: float = 30.0


def read_failure(path: Path) -> Failure | None:
    """What a supervisor left behind when its machine ended; None where nothing can be read from it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Failure)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write_failure(path: Path, failure: Failure) -> None:
    """Leave it behind."""
    write_private(path, msgspec.json.encode(failure))


def last_lines(console: str, count: int = 20) -> tuple[str, ...]:
    """The last lines of a console that say something."""
    return tuple(line for raw in console.splitlines() if (line := raw.strip()))[-count:]
