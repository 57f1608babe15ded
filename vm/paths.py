"""The files of the machine: what lasts in the data folder, sockets in a short runtime folder."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from backend.endpoint import NamedPipe, UnixSocket
from vm.errors import MachineFolderUnusable

STATE_FILE = "state.qcow2"
SOCKET_PATH_BYTES = 103
"""sun_path holds 104 bytes on macOS and 108 on Linux, the closing NUL among them."""


class InUse(msgspec.Struct, frozen=True):
    """Which image the machine starts with, and which it had before ("": none is kept): names of folders."""

    use: str
    before: str = ""


@dataclass(frozen=True)
class MachinePaths:
    """`home` holds image, disk, keys and logs; `runtime` (short) holds the sockets."""

    home: Path
    runtime: Path

    @classmethod
    def below(cls, data: Path, runtime: Path) -> MachinePaths:
        """The machine's folders under the program's data and runtime folders."""
        return cls(data / "machine", runtime / "machine")

    @property
    def settings(self) -> Path:
        """What the machine is made of; written last, so that a machine is there when this file is."""
        return self.home / "machine.json"

    @property
    def images(self) -> Path:
        """The images that are kept, each in a folder of its own."""
        return self.home / "images"

    @property
    def chosen(self) -> Path:
        """Says which of the images is used: replaced as a whole, so one of them always is."""
        return self.home / "image.json"

    @property
    def in_use(self) -> InUse | None:
        """What `chosen` says; None where nothing can be read from it."""
        try:
            return msgspec.json.decode(self.chosen.read_bytes(), type=InUse)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    @property
    def image(self) -> Path:
        """Kernel, initrd, root and their manifest, of the image that is used."""
        found = self.in_use
        return self.images / (found.use if found is not None else "none")

    @property
    def disk(self) -> Path:
        """All that lasts in the guest; where it was moved away, the file that `moved` names."""
        try:
            named = os.fsdecode(self.moved.read_bytes())
        except OSError:
            named = ""
        return Path(named) if os.path.isabs(named) else self.own_disk

    @property
    def own_disk(self) -> Path:
        """Where the disk is that was not moved."""
        return self.home / "data.qcow2"

    @property
    def moved(self) -> Path:
        """Holds the path of a disk that was moved elsewhere."""
        return self.home / "disk.moved"

    @property
    def state(self) -> Path:
        """The memory of a suspended machine, as vm.qemu.suspending writes it."""
        return self.home / STATE_FILE

    @property
    def moment(self) -> Path:
        """What the saved memory belongs to; without a match it is thrown away."""
        return self.home / "suspended.json"

    @property
    def user_key(self) -> Path:
        """Our key, with which we sign in to the guest."""
        return self.home / "keys" / "user"

    @property
    def host_key(self) -> Path:
        """The guest's key, which it is known by."""
        return self.home / "keys" / "guest"

    @property
    def handed(self) -> Path:
        """What the guest is handed at boot, one value to a file."""
        return self.home / "handed"

    @property
    def trial(self) -> Path:
        """Which accelerator ran a guest here."""
        return self.home / "trial.json"

    @property
    def context(self) -> Path:
        """Which of its contexts docker used before ours was chosen; there only while ours is."""
        return self.home / "context.json"

    @property
    def failure(self) -> Path:
        """Why the machine ended without being asked; gone at the next start."""
        return self.home / "failure.json"

    @property
    def log(self) -> Path:
        """The supervisor's own words."""
        return self.home / "supervisor.log"

    @property
    def words(self) -> Path:
        """What a supervisor says that does not get as far as its log."""
        return self.home / "supervisor.start"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for its whole life."""
        return self.home / "supervisor.lock"

    @property
    def socket(self) -> Path:
        """Where the machine's engine answers on this computer."""
        return self._place("docker")

    @property
    def control(self) -> Path:
        """Where the supervisor answers."""
        return self._place("control")

    @property
    def endpoint(self) -> UnixSocket | NamedPipe:
        """The same as `socket`, as an engine's address."""
        return NamedPipe(str(self.socket)) if sys.platform == "win32" else UnixSocket(str(self.socket))

    def _place(self, name: str) -> Path:
        """A socket, or a pipe of Windows: all pipes lie in one folder, so the name says whose it is."""
        whose = hashlib.sha256(str(self.runtime).encode()).hexdigest()[:16]
        pipe = Path(f"\\\\.\\pipe\\pilothouse-{whose}-{name}")
        return pipe if sys.platform == "win32" else self.runtime / f"{name}.sock"

    def check_length(self) -> None:
        """Raises MachineFolderUnusable where a socket's path would be too long."""
        for socket in (self.socket, self.control):
            if len(os.fsencode(socket)) > SOCKET_PATH_BYTES:
                raise MachineFolderUnusable(str(socket), f"is longer than {SOCKET_PATH_BYTES} bytes")

    def make(self) -> None:
        """Make the folders, 0700. Raises MachineFolderUnusable, also where a socket's path would be too long."""
        self.check_length()
        for folder in (self.home, self.runtime, self.handed, self.user_key.parent, self.images):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.chmod(0o700)
            except OSError as error:
                raise MachineFolderUnusable(str(folder), error.strerror or str(error)) from error


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only this person may read, whole or not at all."""
    made = path.with_name(path.name + ".new")
    made.unlink(missing_ok=True)
    with open(made, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)
