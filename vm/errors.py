"""Every error that vm raises about the machine and its image, as typed facts; app.notices words them for people.

MachineError
├── MachineMissing                 it was not created yet
├── MachineExists                  it was created before
├── MachineUnsupported             this system cannot run one yet
├── MachineFolderUnusable          a folder of the machine cannot be used
├── MachineStartFailed             a requirement of its start was not met
├── DockerConfigUnusable           a file of docker's own configuration cannot be read or written
├── MachineSilent                  its supervisor does not answer, or did not do in time what it was asked
├── ShareRefused                   a folder cannot be shared, or is not
├── PathNotShared                  a container was to have a folder that the machine does not see
├── MachineNotSuspended            it could not be saved, and goes on
├── SettingsUnusable               no machine can be made so on this computer
├── MachineUpdating                another program brings an image to it at this moment
├── UpdateFailed                   it has another image, and does not start with that
├── RollbackMissing                no image from before is kept
├── DataNewer                      what is on its disk was used with a newer image
└── ImageError                     a guest image cannot be used
    ├── ImageMissing               none is at hand
    ├── ImageUnsigned              no signature, or none that the expected key made
    ├── ImageUnreadable            its manifest is not one, or of a kind that this version does not know
    ├── ImageWrongArchitecture     for another processor
    ├── ImageTooOld                older than the one that was asked for or was used before
    ├── ImageDamaged               a file of it is missing, short or altered
    ├── ImageFetchFailed           its source ended or failed before all was there
    ├── ImageNoRoom                this computer's disk has no room for it
    └── ImageBuildFailed           it could not be built here
"""

from __future__ import annotations


class MachineError(Exception):
    """The root of everything that vm raises on purpose."""


class MachineMissing(MachineError):
    """There is no machine yet."""


class MachineExists(MachineError):
    """There is a machine in `path` already."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class MachineUnsupported(MachineError):
    """`system` has no way to run a machine in this version."""

    def __init__(self, system: str) -> None:
        super().__init__(system)
        self.system = system


class MachineFolderUnusable(MachineError):
    """`reason` says why the folder or socket at `path` cannot be."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class MachineStartFailed(MachineError):
    """The requirement `step` was not met: `kind` names the error, `console` holds the guest's last lines."""

    def __init__(self, step: str, kind: str, reason: str, console: tuple[str, ...] = ()) -> None:
        super().__init__(f"{step}: {reason}")
        self.step, self.kind, self.reason, self.console = step, kind, reason, console


class MachineSilent(MachineError):
    """`doing` says what its supervisor was asked for `seconds`."""

    def __init__(self, doing: str, seconds: float) -> None:
        super().__init__(f"{doing}: nothing within {seconds:g} s")
        self.doing, self.seconds = doing, seconds


class ShareRefused(MachineError):
    """`reason` says what keeps the folder at `path` from being shared."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.path, self.reason = path, reason


class PathNotShared(MachineError):
    """`path` is of this computer."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class MachineNotSuspended(MachineError):
    """`kind` names the error that kept it from being saved, `reason` its words; the machine goes on."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind, self.reason = kind, reason


class SettingsUnusable(MachineError):
    """`name` is the setting (cpus, memory, disk, idle); it must be from `least` to `most`, 0 for no end."""

    def __init__(self, name: str, least: int, most: int) -> None:
        super().__init__(f"{name}: from {least} to {most}" if most else f"{name}: at least {least}")
        self.name, self.least, self.most = name, least, most


class DockerConfigUnusable(MachineError):
    """`reason` goes on as a sentence about the file at `path` of docker's own configuration; it is as it was."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.path, self.reason = path, reason


class MachineUpdating(MachineError):
    """Another program brings an image to the machine."""


class UpdateFailed(MachineError):
    """With the image `version` the requirement `step` was not met; `before` is the version that is kept."""

    def __init__(self, version: str, before: str, step: str, reason: str, console: tuple[str, ...] = ()) -> None:
        super().__init__(f"{version}: {step}: {reason}")
        self.version, self.before, self.step, self.reason, self.console = version, before, step, reason, console


class RollbackMissing(MachineError):
    """No image from before an update is kept."""


class DataNewer(MachineError):
    """The data were used with `found`; the image `version` only knows `wanted`."""

    def __init__(self, version: str, found: str, wanted: str) -> None:
        super().__init__(f"the data are of {found}; the image {version} knows {wanted}")
        self.version, self.found, self.wanted = version, found, wanted


class ImageError(MachineError):
    """A guest image cannot be used."""


class ImageMissing(ImageError):
    """No image is in the folders `looked`; `command` builds one."""

    def __init__(self, looked: tuple[str, ...], command: str) -> None:
        super().__init__(f"nothing in {', '.join(looked)}")
        self.looked, self.command = looked, command


class ImageUnsigned(ImageError):
    """`reason` says what is wrong with the signature."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ImageUnreadable(ImageError):
    """`reason` says what of the manifest cannot be read."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ImageWrongArchitecture(ImageError):
    """`found` and `wanted` are architectures as Debian names them."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(f"for {found}, not for {wanted}")
        self.found, self.wanted = found, wanted


class ImageTooOld(ImageError):
    """`found` and `wanted` are versions as text; the image must be at least `wanted`."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(f"version {found} is older than {wanted}")
        self.found, self.wanted = found, wanted


class ImageDamaged(ImageError):
    """`name` is the file (kernel, initrd, root); `reason` says what is wrong with it."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}")
        self.name, self.reason = name, reason


class ImageFetchFailed(ImageError):
    """`name` is the file; what came of it is kept, and the next try goes on from there."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = name, reason


class ImageNoRoom(ImageError):
    """`needed` and `free` are bytes in the file system of `path`."""

    def __init__(self, path: str, needed: int, free: int) -> None:
        super().__init__(f"{path} has {free} bytes free, {needed} are needed")
        self.path, self.needed, self.free = path, needed, free


class ImageBuildFailed(ImageError):
    """`reason` says which step of the recipe could not be done."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
