"""The sentences for what goes wrong with the machine and its image; app.qemuwordings has those for QEMU itself."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from app.notices import Notice, sentence
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
    "image": "Build it anew with make guest, then delete the machine and create it again.",
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


def install_line() -> str:
    """The command that installs QEMU here; empty where nobody knows one."""
    return shlex.join(offer(this_host()).line)


def _start_failed(error: e.MachineStartFailed) -> Notice:
    hint = _HINTS.get(error.step, "")
    if error.step == "qemu":
        line = install_line()
        hint = f"Install it with: {line}" if line else f"Install one that can be used: {offer(this_host()).page}"
    doing = STEPS.get(error.step, error.step)
    return Notice("The machine did not start", f"{doing}: {sentence(error.reason)} {hint}".rstrip())


def _missing(_error: e.MachineMissing) -> Notice:
    return Notice("There is no machine yet", "Create it with: pilothouse machine create")


def _exists(error: e.MachineExists) -> Notice:
    return Notice("There is a machine already", f"It is in {error.path}. Start it, or delete it first.")


def _unsupported(error: e.MachineUnsupported) -> Notice:
    return Notice("No machine on this system yet", f"This version cannot run one on {error.system}.")


def _folder(error: e.MachineFolderUnusable) -> Notice:
    words = f"{error.path}: {sentence(error.reason)} Let PILOTHOUSE_HOME name another folder."
    return Notice("A folder of the machine cannot be used", words)


def _silent(error: e.MachineSilent) -> Notice:
    words = "What runs it did not answer in time. Try again when the computer is less busy."
    return Notice("The machine does not answer", f"{words} ({error.doing})")


def _not_suspended(error: e.MachineNotSuspended) -> Notice:
    words = f"{sentence(error.reason)} It goes on as it was. It can be stopped instead, and started again."
    return Notice("The machine could not be suspended", words)


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
    return Notice("Docker's own configuration cannot be used", words)


def _no_image(error: e.ImageMissing) -> Notice:
    looked = ", ".join(error.looked)
    return Notice(
        "There is no image for the machine", f"It was looked for in {looked}. Build one with: {error.command}"
    )


def _image(error: e.ImageError) -> Notice:
    return Notice("The machine's image cannot be used", f"{sentence(str(error))} Build it anew with: make guest")


def _image_room(error: e.ImageNoRoom) -> Notice:
    words = f"{bytes_text(error.needed)} are needed in {error.path}, and {bytes_text(error.free)} are free."
    return Notice("There is no room for the machine's image", words)


def _image_fetch(error: e.ImageFetchFailed) -> Notice:
    return Notice("The machine's image did not come whole", f"{sentence(str(error))} The next try goes on from there.")


def _machine(error: e.MachineError) -> Notice:
    return Notice("The machine could not do that", sentence(str(error)))


MACHINE_WORDINGS: dict[type[BaseException], Callable[[Any], Notice]] = {
    e.MachineError: _machine,
    e.MachineMissing: _missing,
    e.MachineExists: _exists,
    e.MachineUnsupported: _unsupported,
    e.MachineFolderUnusable: _folder,
    e.MachineStartFailed: _start_failed,
    e.MachineSilent: _silent,
    e.MachineNotSuspended: _not_suspended,
    e.SettingsUnusable: _settings,
    e.DockerConfigUnusable: _docker_config,
    e.ImageError: _image,
    e.ImageMissing: _no_image,
    e.ImageUnsigned: _image,
    e.ImageUnreadable: _image,
    e.ImageWrongArchitecture: _image,
    e.ImageTooOld: _image,
    e.ImageDamaged: _image,
    e.ImageFetchFailed: _image_fetch,
    e.ImageNoRoom: _image_room,
    e.ImageBuildFailed: _image,
}
