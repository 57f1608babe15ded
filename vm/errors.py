"""Every error that vm raises about the machine's image, as typed facts; app.notices words them for people.

MachineError
└── ImageError                     a guest image cannot be used
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


class ImageError(MachineError):
    """A guest image cannot be used."""


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
