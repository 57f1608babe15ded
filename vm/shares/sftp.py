"""The server's side of SFTP: version 3 (draft-ietf-secsh-filexfer-02) with OpenSSH's extensions, over shared folders.

paramiko has one too; it has none of the extensions without which sshfs cannot replace, link or measure, it takes names
for text, and its files end with the connection. Here a session outlives its connections: the guest asks again what was
not answered when one broke, so nothing is done twice, and a file that is not open any more is opened again.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from vm.shares.folder import Folder

INIT, VERSION = 1, 2
OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT, OPENDIR, READDIR = range(3, 13)
REMOVE, MKDIR, RMDIR, REALPATH, STAT, RENAME, READLINK, SYMLINK = range(13, 21)
STATUS, HANDLE, DATA, NAME, ATTRS = range(101, 106)
EXTENDED, EXTENDED_REPLY = 200, 201
OK, EOF, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, BAD_MESSAGE, _, _, OP_UNSUPPORTED = range(9)
SIZE, OWNER, MODE, TIMES = 1, 2, 4, 8
READS, WRITES, APPENDS, CREATES, TRUNCATES, EXCLUDES = 1, 2, 4, 8, 16, 32
POSIX_RENAME, HARDLINK, STATVFS, FSYNC = (
    b"posix-rename@openssh.com", b"hardlink@openssh.com", b"statvfs@openssh.com", b"fsync@openssh.com",
)  # fmt: skip
EXTENSIONS = ((POSIX_RENAME, b"1"), (HARDLINK, b"1"), (STATVFS, b"2"), (FSYNC, b"1"))
LONGEST = 1 << 18
"""Bytes of a packet and of one read, as in OpenSSH."""
NAMES = 100
"""Entries of a folder in one answer."""
REMEMBERED = 512
"""Answers to what must not be done twice; more are never without an answer at once."""
ONCE = frozenset((OPEN, CLOSE, REMOVE, MKDIR, RMDIR, RENAME, SYMLINK, EXTENDED))
NOBODY = 65534
Found = Callable[[bytes], tuple[Folder, tuple[bytes, ...]]]
"""The shared folder that a path of the guest lies in, and the names from there on. Raises OSError."""


class BadPacket(Exception):
    """What came is no SFTP."""


class _Attributes(NamedTuple):
    flags: int
    size: int = 0
    user: int = 0
    group: int = 0
    mode: int = 0
    accessed: int = 0
    modified: int = 0


class _Reader:
    """The fields of a packet."""

    def __init__(self, packet: bytes) -> None:
        self._packet, self._at = packet, 0

    def number(self) -> int:
        """Of four bytes."""
        return self._take(">I", 4)

    def long(self) -> int:
        """Of eight bytes."""
        return self._take(">Q", 8)

    def text(self) -> bytes:
        """Bytes with their length before them."""
        length = self.number()
        found = self._packet[self._at : self._at + length]
        self._at += length
        if len(found) != length:
            raise BadPacket("it ends too soon")
        return found

    def attributes(self) -> _Attributes:
        """What a file is to have."""
        flags = self.number()
        size = self.long() if flags & SIZE else 0
        user, group = (self.number(), self.number()) if flags & OWNER else (0, 0)
        mode = self.number() if flags & MODE else 0
        accessed, modified = (self.number(), self.number()) if flags & TIMES else (0, 0)
        return _Attributes(flags, size, user, group, mode, accessed, modified)

    def _take(self, form: str, length: int) -> int:
        try:
            (found,) = struct.unpack_from(form, self._packet, self._at)
        except struct.error as error:
            raise BadPacket("it ends too soon") from error
        self._at += length
        return int(found)


class Session:
    """What one mount has open, over all its connections. For one thread at a time."""

    def __init__(self, found: Found, changed: Callable[[bytes], None] = lambda _: None) -> None:
        """`changed` is told each path that is changed."""
        self._found, self._changed = found, changed
        self._files: dict[bytes, int] = {}
        self._folders: dict[bytes, list[tuple[bytes, os.stat_result]]] = {}
        self._answers: OrderedDict[int, bytes] = OrderedDict()
        self._count = 0
        self._does: dict[int, Callable[[_Reader], bytes]] = {
            OPEN: self._open, CLOSE: self._close, READ: self._read, WRITE: self._write, LSTAT: self._stat,
            STAT: self._stat, FSTAT: self._fstat, SETSTAT: self._setstat, FSETSTAT: self._fsetstat,
            OPENDIR: self._opendir, READDIR: self._readdir, REMOVE: self._remove, MKDIR: self._mkdir,
            RMDIR: self._rmdir, REALPATH: self._realpath, RENAME: self._rename, READLINK: self._readlink,
            SYMLINK: self._symlink, EXTENDED: self._extended,
        }  # fmt: skip

    def answer(self, packet: bytes) -> bytes:
        """The answer to a packet, each without its length. Raises BadPacket."""
        if not packet:
            raise BadPacket("it is empty")
        kind, fields = packet[0], _Reader(packet[1:])
        if kind == INIT:
            return _framed(VERSION, struct.pack(">I", 3), *(_text(each) for pair in EXTENSIONS for each in pair))
        number = fields.number()
        if (known := self._answers.get(number)) is not None and kind in ONCE:
            return known
        said = self._said(kind, fields)
        whole = said[:1] + struct.pack(">I", number) + said[1:]
        if kind in ONCE:
            self._answers[number] = whole
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return whole

    def close(self) -> None:
        """Close what is open."""
        for file in self._files.values():
            with suppress(OSError):
                os.close(file)
        self._files.clear()
        self._folders.clear()

    def _said(self, kind: int, fields: _Reader) -> bytes:
        if (do := self._does.get(kind)) is None:
            return _status(OP_UNSUPPORTED)
        try:
            return do(fields)
        except OSError as error:
            return _status(_code(error))
        except (ValueError, OverflowError):
            return _status(FAILURE)

    def _open(self, fields: _Reader) -> bytes:
        path, wanted, attributes = fields.text(), fields.number(), fields.attributes()
        flags = os.O_RDWR if wanted & READS and wanted & WRITES else os.O_WRONLY if wanted & WRITES else os.O_RDONLY
        flags |= os.O_APPEND if wanted & APPENDS else 0
        creating = os.O_CREAT if wanted & CREATES else 0
        creating |= os.O_TRUNC if wanted & TRUNCATES else 0
        creating |= os.O_EXCL if wanted & EXCLUDES else 0
        folder, parts = self._found(path)
        file = folder.open(parts, flags | creating, attributes.mode if attributes.flags & MODE else None)
        if creating:
            self._changed(path)
        handle = self._handle(b"f%x" % flags, path)
        self._files[handle] = file
        return _framed(HANDLE, _text(handle))

    def _close(self, fields: _Reader) -> bytes:
        handle = fields.text()
        self._folders.pop(handle, None)
        if (file := self._files.pop(handle, None)) is not None:
            os.close(file)
        return _status(OK)

    def _read(self, fields: _Reader) -> bytes:
        file, start, length = self._file(fields.text()), fields.long(), fields.number()
        got = os.pread(file, min(length, LONGEST), start)
        return _framed(DATA, _text(got)) if got else _status(EOF)

    def _write(self, fields: _Reader) -> bytes:
        handle = fields.text()
        file, start, content = self._file(handle), fields.long(), memoryview(fields.text())
        self._changed(self._path_of(handle, b"f"))
        while content:
            wrote = os.pwrite(file, content, start)
            content, start = content[wrote:], start + wrote
        return _status(OK)

    def _stat(self, fields: _Reader) -> bytes:
        folder, parts = self._found(fields.text())
        return _framed(ATTRS, _attributes(folder.stat(parts)))

    def _fstat(self, fields: _Reader) -> bytes:
        return _framed(ATTRS, _attributes(os.fstat(self._file(fields.text()))))

    def _setstat(self, fields: _Reader) -> bytes:
        path, wanted = fields.text(), fields.attributes()
        folder, parts = self._found(path)
        seen = folder.stat(parts)
        if wanted.flags & OWNER:
            _may_own(wanted, seen)
        if wanted.flags == TIMES and wanted.modified == int(seen.st_mtime):
            return _status(OK)  # So a change of ours is told there: it stays one, and the time keeps its fractions.
        self._changed(path)
        if wanted.flags & SIZE:
            folder.change_size(parts, wanted.size)
        if wanted.flags & MODE:
            folder.change_mode(parts, wanted.mode)
        if wanted.flags & TIMES:
            folder.change_times(parts, wanted.accessed * 10**9, wanted.modified * 10**9)
        return _status(OK)

    def _fsetstat(self, fields: _Reader) -> bytes:
        handle = fields.text()
        file, wanted = self._file(handle), fields.attributes()
        if wanted.flags & OWNER:
            _may_own(wanted, os.fstat(file))
        self._changed(self._path_of(handle, b"f"))
        if wanted.flags & SIZE:
            os.ftruncate(file, wanted.size)
        if wanted.flags & MODE:
            os.fchmod(file, wanted.mode & 0o1777)
        if wanted.flags & TIMES:
            os.utime(file, (wanted.accessed, wanted.modified))
        return _status(OK)

    def _opendir(self, fields: _Reader) -> bytes:
        path = fields.text()
        handle = self._handle(b"d", path)
        self._folders[handle] = self._listed(path)
        return _framed(HANDLE, _text(handle))

    def _readdir(self, fields: _Reader) -> bytes:
        handle = fields.text()
        if handle not in self._folders:  # Of a connection to a server that has ended.
            self._folders[handle] = self._listed(self._path_of(handle, b"d"))
        left = self._folders[handle]
        if not left:
            return _status(EOF)
        some, self._folders[handle] = left[:NAMES], left[NAMES:]
        names = (part for name, seen in some for part in (_text(name), _text(b""), _attributes(seen)))
        return _framed(NAME, struct.pack(">I", len(some)), *names)

    def _listed(self, path: bytes) -> list[tuple[bytes, os.stat_result]]:
        folder, parts = self._found(path)
        here = folder.stat(parts)
        return [(b".", here), (b"..", here), *folder.entries(parts)]

    def _remove(self, fields: _Reader) -> bytes:
        folder, parts = self._changing(fields.text())
        folder.remove(parts)
        return _status(OK)

    def _mkdir(self, fields: _Reader) -> bytes:
        folder, parts = self._changing(fields.text())
        wanted = fields.attributes()
        folder.make(parts, wanted.mode if wanted.flags & MODE else 0o755)
        return _status(OK)

    def _rmdir(self, fields: _Reader) -> bytes:
        folder, parts = self._changing(fields.text())
        folder.remove_folder(parts)
        return _status(OK)

    def _realpath(self, fields: _Reader) -> bytes:
        path = fields.text() or b"/"
        return _framed(NAME, struct.pack(">I", 1), _text(path), _text(b""), struct.pack(">I", 0))

    def _rename(self, fields: _Reader) -> bytes:
        return self._renamed(fields, replace=False)

    def _renamed(self, fields: _Reader, *, replace: bool) -> bytes:
        (folder, old), (other, new) = self._changing(fields.text()), self._changing(fields.text())
        folder.rename(old, other, new, replace=replace)
        return _status(OK)

    def _readlink(self, fields: _Reader) -> bytes:
        folder, parts = self._found(fields.text())
        target = _text(folder.points_to(parts))
        return _framed(NAME, struct.pack(">I", 1), target, _text(b""), struct.pack(">I", 0))

    def _symlink(self, fields: _Reader) -> bytes:
        target, path = fields.text(), fields.text()  # In OpenSSH's order, which all follow.
        folder, parts = self._changing(path)
        folder.point(parts, target)
        return _status(OK)

    def _extended(self, fields: _Reader) -> bytes:
        name = fields.text()
        if name == POSIX_RENAME:
            return self._renamed(fields, replace=True)
        if name == HARDLINK:
            (folder, old), (other, new) = self._found(fields.text()), self._changing(fields.text())
            folder.link(old, other, new)
            return _status(OK)
        if name == STATVFS:
            folder, parts = self._found(fields.text())
            return _framed(EXTENDED_REPLY, _room(folder.room(parts)))
        if name == FSYNC:
            os.fsync(self._file(fields.text()))
            return _status(OK)
        return _status(OP_UNSUPPORTED)

    def _changing(self, path: bytes) -> tuple[Folder, tuple[bytes, ...]]:
        self._changed(path)
        return self._found(path)

    def _handle(self, kind: bytes, path: bytes) -> bytes:
        """A name for what was opened, that says how it can be opened again."""
        self._count += 1
        return b"%s %x %s %s" % (kind, self._count, os.urandom(4).hex().encode(), path)

    def _path_of(self, handle: bytes, kind: bytes) -> bytes:
        words = handle.split(b" ", 3)
        if len(words) != 4 or not words[0].startswith(kind):
            raise OSError(errno.EBADF, "no handle of ours")
        return words[3]

    def _file(self, handle: bytes) -> int:
        file = self._files.get(handle)
        if file is None:  # Of a connection to a server that has ended.
            folder, parts = self._found(self._path_of(handle, b"f"))
            known = os.O_RDWR | os.O_WRONLY | os.O_APPEND
            file = self._files[handle] = folder.open(parts, int(handle.split(b" ")[0][1:], 16) & known)
        return file


def _framed(kind: int, *fields: bytes) -> bytes:
    return b"".join((bytes((kind,)), *fields))


def _text(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _status(code: int) -> bytes:
    return _framed(STATUS, struct.pack(">I", code), _text(b""), _text(b""))


def _code(error: OSError) -> int:
    """The guest makes EPERM of a failure, which is what a chown says everywhere else."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
        return NO_SUCH_FILE
    return PERMISSION_DENIED if error.errno in (errno.EACCES, errno.EROFS) else FAILURE


def _shown_owner(seen: os.stat_result) -> int:
    """What is this person's belongs to root in there: most containers run as root, and others are let in anyway."""
    return 0 if not hasattr(os, "geteuid") or seen.st_uid == os.geteuid() else NOBODY


def _may_own(wanted: _Attributes, seen: os.stat_result) -> None:
    owner = _shown_owner(seen)
    if (wanted.user, wanted.group) != (owner, owner):
        raise PermissionError(errno.EPERM, "files of this computer keep their owner")


def _attributes(seen: os.stat_result) -> bytes:
    owner = _shown_owner(seen)
    times = (min(max(int(each), 0), 0xFFFFFFFF) for each in (seen.st_atime, seen.st_mtime))
    mode = stat.S_IFMT(seen.st_mode) | stat.S_IMODE(seen.st_mode)
    return struct.pack(">IQIIIII", SIZE | OWNER | MODE | TIMES, seen.st_size, owner, owner, mode, *times)


def _room(seen: os.statvfs_result) -> bytes:
    sizes = (seen.f_bsize, seen.f_frsize, seen.f_blocks, seen.f_bfree, seen.f_bavail, seen.f_files, seen.f_ffree)
    return struct.pack(">11Q", *sizes, seen.f_favail, 0, 0, seen.f_namemax)
