"""Saving a file: what may be written there, and what kept it from being written."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})
_OF_THE_FOLDER = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC})


class NotSaved(OSError):
    """A file was not written. `filename` is what it failed at: the folder, or the path that a person chose."""


def check_target(path: Path) -> None:
    """Raises FileExistsError where writing a file to `path` would replace a device, a pipe or a folder."""
    if path.exists() and not path.is_file():
        raise FileExistsError(errno.EEXIST, "something other than a file is there already", str(path))


@contextmanager
def saving(path: Path) -> Iterator[None]:
    """Around writing `path`: an error of the disk becomes NotSaved, which never names the file beside it."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        if error.filename is None and error.errno not in _OF_THE_DISK:
            raise
        if error.errno == errno.ENOENT and path.parent.is_dir():  # As below /proc.
            raise NotSaved(0, "no file can be made or kept there", str(path)) from error
        place = path.parent if error.errno in _OF_THE_FOLDER else path
        raise NotSaved(error.errno, error.strerror, str(place)) from error
