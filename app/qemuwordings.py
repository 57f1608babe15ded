"""The sentences for what goes wrong with QEMU and the machine's disk; app.wordings has those for all else."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from app.machinewordings import AGAIN, CHECK, START, STOP, copy_step, install_line
from app.notices import Notice, Step, sentence
from app.presentation.units import bytes_text, joined
from vm.qemu import errors as e
from vm.qemu.probing import Trial

OTHER_QEMU = "Install another one; Pilothouse takes the first that it can use."
DISK_KEPT = "Nothing on it was changed."


def _missing(error: e.QemuMissing) -> Notice:
    looked = f" It was looked for in {joined(error.looked)}." if error.looked else ""
    return Notice(
        "QEMU is not installed", f"The machine runs in it.{looked} Install QEMU, then try again.", kind="warning"
    )


def _too_old(error: e.QemuTooOld) -> Notice:
    words = f"{error.program} is version {error.found}; the machine needs {error.needed} or a newer one. Update QEMU."
    return Notice("This QEMU is too old", words)


def _wrong_architecture(error: e.QemuWrongArchitecture) -> Notice:
    made = f"for {error.found} processors" if error.found else "for another kind of processor"
    return Notice("This QEMU is for other computers", f"{error.program} was made {made}. {OTHER_QEMU}")


def _crashed(error: e.QemuCrashed) -> Notice:
    how = f"It was ended by {_signal(error.code)}." if error.code < 0 else f"It ended with code {error.code}."
    return Notice(
        "QEMU ended right after its start", f"{error.program} did not come up. {how} {sentence(error.words)}".rstrip()
    )


def _signal(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _silent(error: e.QemuSilent) -> Notice:
    words = f"{error.program} was given {error.seconds:g}\u00a0s. Try again when the computer is less busy."
    return Notice("QEMU does not answer", words)


def _unknown(error: e.QemuUnknown) -> Notice:
    return Notice(
        "What is called QEMU here is something else", f"{error.program} says: {sentence(error.reason)} {OTHER_QEMU}"
    )


def _forbidden(error: e.QemuForbidden) -> Notice:
    return Notice("QEMU could not be started", f"The system refused {error.program}: {error.reason}. {OTHER_QEMU}")


def _unusable(error: e.QemuUnusable) -> Notice:
    return Notice("This QEMU cannot be used", f"{error.program}: {sentence(error.reason)} {OTHER_QEMU}")


def _no_accelerator(error: e.NoAccelerator) -> Notice:
    return Notice("No machine can run on this computer", f"Everything was tried. {sentence('; '.join(error.refusals))}")


_WAYS_OUT: dict[tuple[str, str], str] = {
    ("kvm", "off"): "Switch virtualization on in the computer's firmware (VT-x or SVM), or load the module kvm.",
    ("kvm", "forbidden"): "You may not open /dev/kvm. Add yourself to the group kvm and log in again.",
    ("whpx", "off"): (
        "Switch virtualization on in the computer's firmware, and the Windows feature Windows Hypervisor Platform: "
        "DISM /Online /Enable-Feature /FeatureName:HypervisorPlatform /All, as administrator, then restart."
    ),
    ("hvf", "off"): "This Mac lends no virtualization, as a virtual Mac inside another one.",
    ("hvf", "unsigned"): "macOS does not let this QEMU have it, since its signature is broken. Install QEMU again.",
}
_ANY_WAY_OUT: dict[str, str] = {
    "not-built-in": "This QEMU was built without it. Install another one.",
    "broken": "It is there, and no guest runs in it. Inside a virtual computer that is common.",
}


def about_slowness(trial: Trial) -> Notice | None:
    """What to say, for as long as it is so, of a machine that is emulated; None for one that is not."""
    if not trial.accelerator.slow:
        return None
    ways: dict[str, None] = {}
    for refusal in trial.refusals:
        name = refusal.accelerator.name
        words = _WAYS_OUT.get((name, refusal.cause)) or _ANY_WAY_OUT.get(refusal.cause, sentence(refusal.reason))
        ways[f"{name.upper()}: {words}"] = None
    lead = "Every instruction is translated, since this computer's virtualization could not be used."
    return Notice("The machine is slow here", " ".join((lead, *ways)), kind="warning")


def _unnameable(error: e.FolderUnnameable) -> Notice:
    shown = error.path.encode(errors="backslashreplace").decode()
    return Notice("A folder's name cannot be read", f"{shown} holds bytes that are no text. Rename that folder.")


def _port(error: e.SshPortTaken) -> Notice:
    words = f"Another program took port {error.port} just before the machine did. Start it again; it takes another one."
    return Notice("The machine's port is taken", words)


def _already(error: e.MachineAlreadyRuns) -> Notice:
    who = f"Process {error.pid} runs" if error.pid else "Another program has"
    words = f"{who} the machine on {error.path}. Two at once would destroy it. Use the one that runs, or end it first."
    return Notice("The machine is running already", words)


def _blocked(error: e.SuspendBlocked) -> Notice:
    words = f"{sentence('; '.join(error.reasons))} It can be stopped instead, and started again."
    return Notice("The machine cannot be suspended now", words)


def _wake(error: e.WakeFailed) -> Notice:
    words = f"{sentence(error.reason)} Start it anew; its images, containers and volumes are there."
    return Notice("The machine could not be woken", words)


def _gone(error: e.QmpGone) -> Notice:
    return Notice(
        "The machine ended", f"QEMU went away ({error.doing}). What was written to its disk is there. Start it again."
    )


def _timeout(error: e.QmpTimeout) -> Notice:
    words = f"QEMU had {error.seconds:g}\u00a0s for it ({error.doing}). Wait a little, or stop the machine by force."
    return Notice("The machine does not answer", words)


def _garbage(error: e.QmpGarbage) -> Notice:
    words = f"What came is no message of it: {sentence(error.said)} Stop the machine and start it again."
    return Notice("QEMU's monitor makes no sense", words)


def _refused(error: e.QmpRefused) -> Notice:
    return Notice("QEMU could not do that", sentence(error.words))


def _qemu(error: e.QemuError) -> Notice:
    return Notice("The machine could not do that", sentence(str(error)))


def _foreign(error: e.DiskForeign) -> Notice:
    words = f"{error.path} {error.reason}. {DISK_KEPT} Move it away, or put the machine's own disk back."
    return Notice("This is not the machine's disk", words)


def _corrupt(error: e.DiskCorrupt) -> Notice:
    words = f"{error.path}: {sentence(error.reason)} {DISK_KEPT} Copy the file before anything else is tried."
    return Notice("The machine's disk is damaged", words)


def _exists(error: e.DiskExists) -> Notice:
    return Notice("There is a disk already", f"{error.path} was not replaced. Use it, or move it away.")


def _shrinks(error: e.DiskShrinks) -> Notice:
    return Notice("A disk does not get smaller", f"{error.path} {error.reason}. Ask for as much, or for more.")


def _host_full(error: e.HostDiskFull) -> Notice:
    return Notice("This computer's disk is full", f"Make room for {error.path}, then try again. {DISK_KEPT}")


def _disk_missing(error: e.DiskMissing) -> Notice:
    words = (
        f"{error.path} {error.reason}. Connect the drive that holds it, or put the file back. Nothing was made anew."
    )
    return Notice("The machine's disk is not there", words)


def _no_room(error: e.DiskNoRoom) -> Notice:
    needed, free = bytes_text(error.needed), bytes_text(error.free)
    words = f"{needed} are needed for {error.path}, and {free} are free. {DISK_KEPT} Make room, then try again."
    return Notice("There is no room for the machine's disk", words)


def _disk_tool(error: e.DiskToolFailed) -> Notice:
    return Notice("The machine's disk could not be used", f"{error.path}: {sentence(error.reason)}")


def _install_step() -> Step:
    line = install_line()
    return copy_step(line, "Copy install command") if line else CHECK


_STEPS: dict[type[BaseException], Callable[[], Step]] = {
    e.QemuUnusable: _install_step,
    e.QemuSilent: lambda: AGAIN,
    e.NoAccelerator: _install_step,
    e.SshPortTaken: lambda: AGAIN,
    e.WakeFailed: lambda: START,
    e.QmpGone: lambda: START,
    e.SuspendBlocked: lambda: STOP,
}
"""What is pressed next, for a kind and those below it; all else is looked at on the machine's page."""


def next_step(error: e.QemuError) -> Step:
    """The press that helps most with an error of QEMU."""
    if isinstance(error, e.DiskError):
        return Step("Show the folder", "machine-folder", os.path.dirname(error.path))
    return next((_STEPS[kind]() for kind in type(error).__mro__ if kind in _STEPS), CHECK)


def _helped(wording: Callable[[Any], Notice]) -> Callable[[Any], Notice]:
    return lambda error: replace(wording(error), step=next_step(error))


_WORDINGS: dict[type[BaseException], Callable[[Any], Notice]] = {
    e.QemuError: _qemu,
    e.QemuUnusable: _unusable,
    e.QemuMissing: _missing,
    e.QemuTooOld: _too_old,
    e.QemuWrongArchitecture: _wrong_architecture,
    e.QemuCrashed: _crashed,
    e.QemuSilent: _silent,
    e.QemuUnknown: _unknown,
    e.QemuForbidden: _forbidden,
    e.NoAccelerator: _no_accelerator,
    e.FolderUnnameable: _unnameable,
    e.SshPortTaken: _port,
    e.MachineAlreadyRuns: _already,
    e.SuspendBlocked: _blocked,
    e.WakeFailed: _wake,
    e.QmpError: _qemu,
    e.QmpGone: _gone,
    e.QmpTimeout: _timeout,
    e.QmpGarbage: _garbage,
    e.QmpRefused: _refused,
    e.DiskError: _disk_tool,
    e.DiskForeign: _foreign,
    e.DiskCorrupt: _corrupt,
    e.DiskExists: _exists,
    e.DiskShrinks: _shrinks,
    e.DiskMissing: _disk_missing,
    e.HostDiskFull: _host_full,
    e.DiskNoRoom: _no_room,
    e.DiskToolFailed: _disk_tool,
}
QEMU_WORDINGS = {kind: _helped(wording) for kind, wording in _WORDINGS.items()}
