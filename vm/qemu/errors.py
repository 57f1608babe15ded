"""Every error that QEMU, its monitor and its disks raise, as typed facts; app.notices words them for people.

QemuError
├── QemuUnusable                  a program of QEMU cannot be used
│   ├── QemuMissing               nowhere on this computer
│   ├── QemuTooOld
│   ├── QemuWrongArchitecture     built for another processor than this computer's
│   ├── QemuCrashed               ended at start, with its last words
│   ├── QemuSilent                it started and said nothing in time
│   ├── QemuUnknown               what answers there is not QEMU
│   └── QemuForbidden             the system does not let this person start it
├── NoAccelerator                 not even emulation starts
├── FolderUnnameable              a file's path cannot be told to QEMU
├── SshPortTaken
├── MachineAlreadyRuns            another process owns the machine's disk
├── SuspendBlocked                something of the guest cannot be saved at this moment
├── WakeFailed                    a saved state does not fit
├── QmpError
│   ├── QmpGone                   QEMU ended or closed its monitor
│   ├── QmpTimeout
│   ├── QmpGarbage                what came is not what the protocol promises
│   └── QmpRefused                QEMU said no, in its own words
└── DiskError                     a disk image, by its path
    ├── DiskForeign               not an image of ours: another format, a backing file, a file of others
    ├── DiskCorrupt
    ├── DiskExists
    ├── DiskShrinks               an image never gets smaller
    ├── DiskMissing
    ├── HostDiskFull
    │   └── DiskNoRoom            this computer's disk would be full before it was done
    └── DiskToolFailed            qemu-img failed, in its own words
"""

from __future__ import annotations

from collections.abc import Sequence


class QemuError(Exception):
    """The root of everything that vm.qemu raises on purpose."""


class QemuUnusable(QemuError):
    """`program` is the path that was tried; `reason` says why it cannot be used."""

    def __init__(self, program: str, reason: str) -> None:
        super().__init__(f"{program}: {reason}")
        self.program, self.reason = program, reason


class QemuMissing(QemuUnusable):
    """`program` is a bare name; `looked` are the folders in which it is not."""

    def __init__(self, program: str, looked: Sequence[str]) -> None:
        super().__init__(program, f"not found in {', '.join(looked)}" if looked else "not found")
        self.looked = tuple(looked)


class QemuTooOld(QemuUnusable):
    """`found` and `needed` are versions as text."""

    def __init__(self, program: str, found: str, needed: str) -> None:
        super().__init__(program, f"version {found} is older than {needed}")
        self.found, self.needed = found, needed


class QemuWrongArchitecture(QemuUnusable):
    """Built for `found` ("" where the system only says no) on a computer of `needed`."""

    def __init__(self, program: str, found: str, needed: str) -> None:
        super().__init__(program, f"built for {found or 'another processor'}, this computer is {needed}")
        self.found, self.needed = found, needed


class QemuCrashed(QemuUnusable):
    """It ended with `code` (negative: a signal) before it was of use; `words` are the last lines that it wrote."""

    def __init__(self, program: str, code: int, words: str) -> None:
        super().__init__(program, f"ended with {code}: {words}" if words else f"ended with {code}")
        self.code, self.words = code, words


class QemuSilent(QemuUnusable):
    """It was started and did not answer within `seconds`."""

    def __init__(self, program: str, seconds: float) -> None:
        super().__init__(program, f"no answer in {seconds:g} s")
        self.seconds = seconds


class QemuUnknown(QemuUnusable):
    """`reason` is what it said instead of QEMU's version."""


class QemuForbidden(QemuUnusable):
    """The system refuses to start it; `reason` is the system's words."""


class NoAccelerator(QemuError):
    """Nothing runs a guest here; `refusals` is one line for each thing that was tried."""

    def __init__(self, refusals: Sequence[str]) -> None:
        super().__init__("; ".join(refusals))
        self.refusals = tuple(refusals)


class FolderUnnameable(QemuError):
    """`path` holds bytes that are no text, and lies outside the machine's folder."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path!r} is not text")
        self.path = path


class SshPortTaken(QemuError):
    """Another program took the port on this computer that leads to the machine's SSH."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is taken")
        self.port = port


class MachineAlreadyRuns(QemuError):
    """The disk at `path` belongs to a machine that runs; `pid` is the process that owns it, 0 where nobody says."""

    def __init__(self, path: str, pid: int) -> None:
        super().__init__(f"{path} is in use by process {pid}" if pid else f"{path} is in use")
        self.path, self.pid = path, pid


class SuspendBlocked(QemuError):
    """`reasons` are QEMU's words, one for each thing that keeps the guest from being saved."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


class WakeFailed(QemuError):
    """What was saved cannot be gone on with; `reason` in QEMU's words. The disk is as it was when it was saved."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class QmpError(QemuError):
    """The monitor of a running QEMU did not do what it was asked."""


class QmpGone(QmpError):
    """QEMU closed its monitor: it ended, or is about to. `doing` is what was asked of it."""

    def __init__(self, doing: str) -> None:
        super().__init__(f"QEMU ended while asked: {doing}")
        self.doing = doing


class QmpTimeout(QmpError):
    """No answer to `doing` within `seconds`."""

    def __init__(self, doing: str, seconds: float) -> None:
        super().__init__(f"{doing}: no answer in {seconds:g} s")
        self.doing, self.seconds = doing, seconds


class QmpGarbage(QmpError):
    """`said` is the beginning of what came instead of a message of the protocol."""

    def __init__(self, said: str) -> None:
        super().__init__(f"not a message of QEMU's monitor: {said}")
        self.said = said


class QmpRefused(QmpError):
    """`kind` is QEMU's class of the error ("GenericError", "CommandNotFound"), `words` its sentence."""

    def __init__(self, doing: str, kind: str, words: str) -> None:
        super().__init__(f"{doing}: {words}")
        self.doing, self.kind, self.words = doing, kind, words


class DiskError(QemuError):
    """The image at `path`; `reason` says what is wrong."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class DiskForeign(DiskError):
    """The file is not an image that was made here."""


class DiskCorrupt(DiskError):
    """The image's own tables contradict each other."""


class DiskExists(DiskError):
    """A new disk would replace a file that is there."""


class DiskShrinks(DiskError):
    """A smaller size was asked for than the image has."""


class HostDiskFull(DiskError):
    """This computer's disk has no room for it."""


class DiskMissing(DiskError):
    """There is no file, or the drive that holds it is away."""


class DiskNoRoom(HostDiskFull):
    """`needed` and `free` are bytes; nothing was begun."""

    def __init__(self, path: str, needed: int, free: int) -> None:
        super().__init__(path, f"{needed >> 20} MiB are needed, {free >> 20} MiB are free")
        self.needed, self.free = needed, free


class DiskToolFailed(DiskError):
    """qemu-img failed; `reason` is what it wrote."""
