"""Folder: one shared folder, of which nothing outside of it can be reached.

Every path is walked part by part from a descriptor of the folder, and no symbolic link is ever followed: the guest's
kernel asks for where a link leads and looks there itself, in its own files. So neither `..` nor a link nor a folder
that is replaced by one meanwhile leads out.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EACCES, EISDIR, ENOENT, EPERM, EROFS

STEP = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", 0)
HERE = b"."
LOOK_EVERY = 2.0
"""Seconds between looks at which files the hidden folders are, which finds them under other spellings as well."""
Parts = Sequence[bytes]


class Folder:
    """The folder at `root`; `hidden` are paths below it that are as if they were not there.

    All paths are names in their order, from the folder on; none is the folder itself. Raises OSError.
    """

    def __init__(self, root: str, *, writable: bool, hidden: Sequence[str] = ()) -> None:
        self.root, self.writable = os.fsencode(root), writable
        self._hidden = [os.fsencode(each) for each in hidden]
        self._names = {tuple(each.lower().split(b"/")) for each in self._hidden}
        self._above = {name[:length] for name in self._names for length in range(1, len(name))}
        self._files: set[tuple[int, int]] = set()
        self._looked = -LOOK_EVERY

    def stat(self, parts: Parts) -> os.stat_result:
        """What is there, a link as itself."""
        with self._at(parts) as (folder, name):
            return os.stat(name, dir_fd=folder, follow_symlinks=False)

    def entries(self, parts: Parts) -> list[tuple[bytes, os.stat_result]]:
        """What is in a folder."""
        found = []
        with self._opened(parts, os.O_RDONLY | os.O_DIRECTORY) as folder, os.scandir(folder) as entries:
            for entry in entries:
                name = os.fsencode(entry.name)
                with suppress(FileNotFoundError):
                    seen = entry.stat(follow_symlinks=False)
                    if not self._is_hidden((*parts, name), seen):
                        found.append((name, seen))
        return found

    def open(self, parts: Parts, flags: int, mode: int | None = None) -> int:
        """The descriptor of a file; nothing but files is opened, so that nobody waits for a pipe's other end."""
        changes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        if changes:
            self._may_write()
        flags |= os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        with self._at(parts) as (folder, name):
            new = bool(flags & os.O_CREAT) and not _is_there(folder, name)
            made = os.open(name, flags, 0o600, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(made).st_mode):
                raise OSError(EISDIR if stat.S_ISDIR(os.fstat(made).st_mode) else EPERM, "no file")
            if new and mode is not None:
                os.fchmod(made, mode & 0o777)  # The guest has applied its own mask, and ours is narrow.
        except OSError:
            os.close(made)
            raise
        return made

    def make(self, parts: Parts, mode: int) -> None:
        """Make a folder."""
        with self._changing(parts) as (folder, name):
            os.mkdir(name, 0o700, dir_fd=folder)
            made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            try:
                os.fchmod(made, mode & 0o777)
            finally:
                os.close(made)

    def remove_folder(self, parts: Parts) -> None:
        """Remove an empty folder."""
        with self._changing(parts) as (folder, name):
            os.rmdir(name, dir_fd=folder)

    def remove(self, parts: Parts) -> None:
        """Remove what is no folder."""
        with self._changing(parts) as (folder, name):
            os.unlink(name, dir_fd=folder)

    def rename(self, old: Parts, to: Folder, new: Parts, *, replace: bool) -> None:
        """Give it another name; without `replace` what has it is left alone."""
        with self._changing(old) as (folder, name), to._changing(new) as (other, wanted):
            if not replace and _is_there(other, wanted):
                raise FileExistsError(f"{wanted!r} is there")
            os.rename(name, wanted, src_dir_fd=folder, dst_dir_fd=other)

    def link(self, old: Parts, to: Folder, new: Parts) -> None:
        """A second name for the same file."""
        with self._changing(old) as (folder, name), to._changing(new) as (other, wanted):
            os.link(name, wanted, src_dir_fd=folder, dst_dir_fd=other, follow_symlinks=False)

    def point(self, parts: Parts, target: bytes) -> None:
        """Make a symbolic link."""
        with self._changing(parts) as (folder, name):
            os.symlink(target, name, dir_fd=folder)

    def points_to(self, parts: Parts) -> bytes:
        """Where a symbolic link leads."""
        with self._at(parts) as (folder, name):
            return os.readlink(name, dir_fd=folder)

    def change_mode(self, parts: Parts, mode: int) -> None:
        """Set the permissions, without the bits that lend somebody's rights."""
        with self._changing(parts, whole=False) as (folder, name):
            _chmod(folder, name, mode & 0o1777)

    def change_times(self, parts: Parts, accessed: int, modified: int) -> None:
        """Set both times, in nanoseconds."""
        with self._changing(parts, whole=False) as (folder, name):
            os.utime(name, ns=(accessed, modified), dir_fd=folder, follow_symlinks=False)

    def change_size(self, parts: Parts, size: int) -> None:
        """Cut a file, or lengthen it."""
        file = self.open(parts, os.O_WRONLY)
        try:
            os.ftruncate(file, size)
        finally:
            os.close(file)

    def room(self, parts: Parts) -> os.statvfs_result:
        """The file system's sizes."""
        with self._at(parts[:-1] if parts else parts) as (folder, _):
            return os.statvfs(folder)

    def _may_write(self) -> None:
        if not self.writable:
            raise OSError(EROFS, "shared to be read")

    @contextmanager
    def _changing(self, parts: Parts, *, whole: bool = True) -> Iterator[tuple[int, bytes]]:
        """As `_at`; with `whole` the name itself changes, which that of a folder around a hidden one may not."""
        self._may_write()
        if whole and (not parts or tuple(part.lower() for part in parts) in self._above):
            raise OSError(EACCES, "holds what is not shared")
        with self._at(parts) as reached:
            yield reached

    @contextmanager
    def _at(self, parts: Parts) -> Iterator[tuple[int, bytes]]:
        """A descriptor of the folder that holds it, and its name there."""
        folder = os.open(self.root, os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", 0))
        try:
            for length, part in enumerate(parts, 1):
                if part in (b"", b".", b"..") or b"/" in part or b"\0" in part:
                    raise OSError(ENOENT, "no name")
                if self._hidden and self._is_hidden(parts[:length], _seen(folder, part)):
                    raise OSError(ENOENT, "not shared")
                if length < len(parts):
                    inner = os.open(part, STEP, dir_fd=folder)
                    os.close(folder)
                    folder = inner
            yield folder, parts[-1] if parts else HERE
        finally:
            os.close(folder)

    @contextmanager
    def _opened(self, parts: Parts, flags: int) -> Iterator[int]:
        with self._at(parts) as (folder, name):
            made = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            yield made
        finally:
            os.close(made)

    def _is_hidden(self, parts: Parts, seen: os.stat_result | None) -> bool:
        if not self._hidden:
            return False
        if tuple(part.lower() for part in parts) in self._names:
            return True
        if time.monotonic() - self._looked > LOOK_EVERY:
            self._looked = time.monotonic()
            self._files = set()
            for name in self._hidden:
                with suppress(OSError):
                    is_ = os.stat(os.path.join(self.root, name))
                    self._files.add((is_.st_dev, is_.st_ino))
        return seen is not None and (seen.st_dev, seen.st_ino) in self._files


def _seen(folder: int, name: bytes) -> os.stat_result | None:
    with suppress(OSError):
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    return None


def _is_there(folder: int, name: bytes) -> bool:
    return _seen(folder, name) is not None


def _chmod(folder: int, name: bytes, mode: int) -> None:
    if os.chmod in os.supports_follow_symlinks:
        os.chmod(name, mode, dir_fd=folder, follow_symlinks=False)
        return
    file = os.open(name, os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", 0), dir_fd=folder)
    try:
        if stat.S_ISLNK(os.fstat(file).st_mode):
            raise OSError(EPERM, "a link has no permissions")
        os.chmod(f"/proc/self/fd/{file}", mode)
    finally:
        os.close(file)
