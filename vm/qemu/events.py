"""What QEMU tells by itself, as values: the events of its monitor that matter to a machine."""

from __future__ import annotations

from typing import Any

import msgspec


class Shutdown(msgspec.Struct, frozen=True):
    """It is ending, since the guest or we wanted it; `reason` as in QEMU's ShutdownCause ("guest-shutdown", …)."""

    guest: bool
    reason: str


class Stopped(msgspec.Struct, frozen=True):
    """The guest stands still."""


class Resumed(msgspec.Struct, frozen=True):
    """The guest goes on."""


class PowerdownAsked(msgspec.Struct, frozen=True):
    """The power button was pressed; the guest may take its time, or ignore it."""


class DiskFailed(msgspec.Struct, frozen=True):
    """This computer could not read or write the disk `node`; `full`: for want of room; `stopped`: the guest waits."""

    node: str
    operation: str
    full: bool
    stopped: bool
    reason: str


class Panicked(msgspec.Struct, frozen=True):
    """The guest's kernel gave up."""


class PortChanged(msgspec.Struct, frozen=True):
    """The guest opened or closed its end of a virtio-serial port, `id` in QEMU's naming."""

    id: str
    open: bool


Event = Shutdown | Stopped | Resumed | PowerdownAsked | DiskFailed | Panicked | PortChanged


def event_of(name: str, data: dict[str, Any]) -> Event | None:
    """The event as a value, None for one that tells a machine nothing. Fields that are missing are what is harmless."""
    match name:
        case "SHUTDOWN":
            return Shutdown(data.get("guest") is True, str(data.get("reason", "")))
        case "STOP":
            return Stopped()
        case "RESUME":
            return Resumed()
        case "POWERDOWN":
            return PowerdownAsked()
        case "GUEST_PANICKED":
            return Panicked()
        case "VSERPORT_CHANGE":
            return PortChanged(str(data.get("id", "")), data.get("open") is True)
        case "BLOCK_IO_ERROR":
            return DiskFailed(
                str(data.get("node-name", "")),
                str(data.get("operation", "")),
                data.get("nospace") is True,
                data.get("action") == "stop",
                str(data.get("reason", "")),
            )
        case _:
            return None
