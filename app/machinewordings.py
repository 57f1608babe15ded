"""The sentences for what goes wrong with the machine and its image; app.qemuwordings has those for QEMU itself."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from app.notices import Notice, Step, sentence
from app.presentation.units import bytes_text
from vm import errors as e
from vm.qemu.host import this_host
from vm.qemu.offers import offer
from vm.report import Published

STEPS = {
    "supervisor": "Starting what runs it",
    "image": "Checking the image",
    "qemu": "Looking for QEMU",
    "accelerator": "Trying this computer's virtualization",
    "disk": "Looking at the disk",
    "process": "Starting QEMU",
    "wake": "Going on where it was suspended",
    "guest": "Booting",
    "ssh": "Connecting to it",
    "engine": "Waiting for its engine",
}
"""What a requirement of the start is called while it is being met."""
_HINTS = {
    "supervisor": "Install Pilothouse anew where this goes on.",
    "image": "Bring a whole one: pilothouse machine diagnose --repair image. In the source tree make guest builds one.",
    "accelerator": "Another QEMU may do better; Pilothouse takes the first that it can use.",
    "disk": "Nothing on it was changed.",
    "process": "Start it again; its images, containers and volumes are there.",
    "wake": "Start it again. What was stored in it is on its disk.",
    "guest": "Start it again. What was stored in it is on its disk.",
    "ssh": "Start it again when the computer is less busy.",
    "engine": "Start it again when the computer is less busy.",
}


def port_words(port: Published) -> str:
    """Why a published port does not answer on this computer, and what to do; nothing for one that does."""
    where = f"{port.port}/{port.protocol}"
    match port.error:
        case "":
            return ""
        case "taken" if port.holder:
            return f"{port.holder} has port {where} of this computer. It answers as soon as that one lets go of it."
        case "taken":
            return f"Another program has port {where} of this computer. It answers as soon as that one lets go of it."
        case "forbidden":
            allow = f"sudo sysctl net.ipv4.ip_unprivileged_port_start={port.port}"
            way = f", or allow it with: {allow}" if this_host().system == "linux" else "."
            return f"Only root may have port {where} of this computer. Publish one from 1024 on{way}"
        case "reserved":
            shown = f"netsh interface ipv4 show excludedportrange protocol={port.protocol}"
            return f"Windows keeps port {where} for itself. Publish another one; it lists those with: {shown}"
        case "absent":
            return f"This computer has no address {port.address}."
        case "unreachable":
            return f"UDP on IPv6 ({port.address}) does not get into the machine. Publish {port.port} on IPv4 as well."
    return sentence(port.words)


def export_line(host: str) -> str:
    """What a shell is told so that docker asks the engine at `host`, also where contexts are not known."""
    if this_host().system == "windows":
        return f"$env:DOCKER_HOST = '{host}'"
    return f"export DOCKER_HOST={shlex.quote(host)}"


ENDED = frozenset(("MachineEnded", "GuestPanicked"))
"""Kinds of failures of a machine that was up."""
START = Step("Start the machine", "machine-start")
AGAIN = Step("Try again", "machine-start")
CHECK = Step("Check the machine", "machine-check")
STOP = Step("Stop it", "machine-stop")


def copy_step(line: str, what: str = "Copy the command") -> Step:
    """A press that copies a command."""
    return Step(what, "machine-copy", line)


ANOTHER = Step("Choose an engine", "choose-engine")
_HELPS = {"image": copy_step("make guest", "Copy build command"), "disk": Step("Show the folder", "machine-folder")}
_ASKED = {"start": "start", "stop": "stop", "status": "say how it is"}


def install_line() -> str:
    """The command that installs QEMU here; empty where nobody knows one."""
    return shlex.join(offer(this_host()).line)


def _start_failed(error: e.MachineStartFailed) -> Notice:
    if error.kind in ENDED:
        words = "Its kernel gave up." if error.kind == "GuestPanicked" else f"QEMU went away: {error.reason}."
        return Notice("The machine ended by itself", f"{words} {_HINTS['process']}", START)
    hint, step = _HINTS.get(error.step, ""), _HELPS.get(error.step, AGAIN)
    if error.step == "qemu" and (line := install_line()):
        hint, step = f"Install it with: {line}", copy_step(line, "Copy install command")
    elif error.step == "qemu":
        hint = f"Install one that can be used: {offer(this_host()).page}"
    elif error.kind == "HostDiskFull":
        step = Step("Show the folder", "machine-folder")
    doing = STEPS.get(error.step, error.step)
    return Notice("The machine did not start", f"{doing}: {sentence(error.reason)} {hint}".rstrip(), step)


def _missing(_error: e.MachineMissing) -> Notice:
    return Notice("There is no machine yet", "Create it with: pilothouse machine create", START)


def _exists(error: e.MachineExists) -> Notice:
    return Notice("There is a machine already", f"It is in {error.path}. Start it, or delete it first.", START)


def _unsupported(error: e.MachineUnsupported) -> Notice:
    return Notice("No machine on this system yet", f"This version cannot run one on {error.system}.", ANOTHER)


def _folder(error: e.MachineFolderUnusable) -> Notice:
    words = f"{error.path}: {sentence(error.reason)} Let PILOTHOUSE_HOME name another folder."
    return Notice("A folder of the machine cannot be used", words, Step("Show the folder", "machine-folder"))


def _silent(error: e.MachineSilent) -> Notice:
    words = "What runs it did not answer in time. Try again when the computer is less busy."
    return Notice(
        "The machine does not answer", f"{words} It was asked to {_ASKED.get(error.doing, error.doing)}.", CHECK
    )


def _not_suspended(error: e.MachineNotSuspended) -> Notice:
    words = f"{sentence(error.reason)} It goes on as it was. It can be stopped instead, and started again."
    return Notice("The machine could not be suspended", words, STOP)


_SETTINGS = {
    "cpus": "The processors",
    "memory": "The memory in MiB",
    "disk": "The disk in bytes",
    "idle": "The minutes",
}


def _settings(error: e.SettingsUnusable) -> Notice:
    most = f" and at most {error.most}" if error.most else ""
    words = f"{_SETTINGS.get(error.name, error.name)} must be at least {error.least}{most}. Nothing was changed."
    return Notice("The machine cannot be made so", words)


def _docker_config(error: e.DockerConfigUnusable) -> Notice:
    words = f"{error.path} {sentence(error.reason)} Nothing in it was changed."
    there = Step("Show the folder", "machine-folder", os.path.dirname(error.path))
    return Notice("Docker's own configuration cannot be used", words, there)


def _updating(_error: e.MachineUpdating) -> Notice:
    return Notice("The machine is being updated", "Another program brings an image to it. Wait until it is done.")


def _update_failed(error: e.UpdateFailed) -> Notice:
    doing = STEPS.get(error.step, error.step)
    way = f"Go back to {error.before} with: pilothouse machine rollback" if error.before else "Try to start it again."
    words = f"{doing}: {sentence(error.reason)} Its images, containers and volumes are there. {way}"
    step = Step("Go back", "machine-rollback") if error.before else AGAIN
    return Notice(f"The machine did not start with the image {error.version}", words, step)


def _no_rollback(_error: e.RollbackMissing) -> Notice:
    return Notice("There is nothing to go back to", "No image from before an update is kept.", kind="warning")


def _newer_data(error: e.DataNewer) -> Notice:
    words = f"What is on its disk was used with {error.found}, and the image {error.version} knows {error.wanted}."
    return Notice("This image is too old for the machine's data", f"{words} Nothing was changed. Use a newer image.")


def _too_old(error: e.ImageTooOld) -> Notice:
    words = f"It is version {error.found}; {error.wanted} or a newer one is needed. Nothing was changed."
    return Notice("This image of the machine is too old", f"{words} To undo an update: pilothouse machine rollback")


def _unsigned(error: e.ImageUnsigned) -> Notice:
    words = "An image has to be signed by a release, or built on this computer by you (make guest)."
    return Notice("The machine's image is not trusted", f"{sentence(error.reason)} {words}")


def _wrong_processor(error: e.ImageWrongArchitecture) -> Notice:
    words = f"It is for {error.found} processors, and this computer has {error.wanted}."
    return Notice("This image is for another kind of computer", words)


def _share(error: e.ShareRefused) -> Notice:
    return Notice("This folder cannot be shared", f"{error.path} {error.reason}.")


def _not_shared(error: e.PathNotShared) -> Notice:
    words = f"{error.path} is not shared with it, so that the container would have nothing there."
    return Notice("The machine does not see this folder", words, Step("Share this folder", "share-folder", error.path))


def _no_image(error: e.ImageMissing) -> Notice:
    looked = ", ".join(error.looked)
    words = f"It was looked for in {looked}. Build one with: {error.command}"
    return Notice("There is no image for the machine", words, copy_step(error.command, "Copy build command"))


def _image(error: e.ImageError) -> Notice:
    words = f"{sentence(str(error))} Build it anew with: make guest"
    return Notice("The machine's image cannot be used", words, copy_step("make guest", "Copy build command"))


def _image_room(error: e.ImageNoRoom) -> Notice:
    words = f"{bytes_text(error.needed)} are needed in {error.path}, and {bytes_text(error.free)} are free."
    return Notice(
        "There is no room for the machine's image", words, Step("Show the folder", "machine-folder", error.path)
    )


def _image_fetch(error: e.ImageFetchFailed) -> Notice:
    words = f"{sentence(str(error))} The next try goes on from there."
    return Notice("The machine's image did not come whole", words, AGAIN)


def _machine(error: e.MachineError) -> Notice:
    return Notice("The machine could not do that", sentence(str(error)), CHECK)


MACHINE_WORDINGS: dict[type[BaseException], Callable[[Any], Notice]] = {
    e.MachineError: _machine,
    e.MachineMissing: _missing,
    e.MachineExists: _exists,
    e.MachineUnsupported: _unsupported,
    e.MachineFolderUnusable: _folder,
    e.MachineStartFailed: _start_failed,
    e.MachineSilent: _silent,
    e.ShareRefused: _share,
    e.PathNotShared: _not_shared,
    e.MachineNotSuspended: _not_suspended,
    e.SettingsUnusable: _settings,
    e.DockerConfigUnusable: _docker_config,
    e.MachineUpdating: _updating,
    e.UpdateFailed: _update_failed,
    e.RollbackMissing: _no_rollback,
    e.DataNewer: _newer_data,
    e.ImageError: _image,
    e.ImageMissing: _no_image,
    e.ImageUnsigned: _unsigned,
    e.ImageUnreadable: _image,
    e.ImageWrongArchitecture: _wrong_processor,
    e.ImageTooOld: _too_old,
    e.ImageDamaged: _image,
    e.ImageFetchFailed: _image_fetch,
    e.ImageNoRoom: _image_room,
    e.ImageBuildFailed: _image,
}


def _helped(wording: Callable[[Any], Notice]) -> Callable[[Any], Notice]:
    """What names no next press of its own is looked at on the machine's page."""

    def helped(error: BaseException) -> Notice:
        notice = wording(error)
        return notice if notice.step is not None else replace(notice, step=CHECK)

    return helped


MACHINE_WORDINGS.update({kind: _helped(wording) for kind, wording in MACHINE_WORDINGS.items()})
