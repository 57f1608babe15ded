"""SFTP over shared folders, and the guest's end of it, which asks again what a broken connection left open."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from vm.shares import sftp
from vm.shares.folder import Folder
from vm.shares.sftp import Session

CONNECT = Path(__file__).parents[3] / "vm/guest/files/root/usr/lib/pilothouse/share-connect"


def text(content: bytes) -> bytes:
    """As SFTP has it."""
    return struct.pack(">I", len(content)) + content


class Client:
    """Asks as sshfs does; an answer is its kind and its fields."""

    def __init__(self, session: Session) -> None:
        self.session, self.number = session, 0

    def ask(self, kind: int, *fields: bytes, number: int = 0) -> tuple[int, bytes]:
        """The answer to one packet."""
        self.number = number or self.number + 1
        answer = self.session.answer(bytes((kind,)) + struct.pack(">I", self.number) + b"".join(fields))
        assert struct.unpack(">I", answer[1:5]) == (self.number,)
        return answer[0], answer[5:]

    def status(self, kind: int, *fields: bytes, number: int = 0) -> int:
        """The code that it was answered with."""
        said, rest = self.ask(kind, *fields, number=number)
        assert said == sftp.STATUS
        return int(struct.unpack(">I", rest[:4])[0])

    def open(self, path: bytes, flags: int) -> bytes:
        """A handle."""
        said, rest = self.ask(sftp.OPEN, text(path), struct.pack(">II", flags, 0))
        assert said == sftp.HANDLE, rest
        return rest

    def attributes(self, path: bytes) -> tuple[int, ...]:
        """Flags, size, owner, group, mode, times."""
        said, rest = self.ask(sftp.LSTAT, text(path))
        assert said == sftp.ATTRS
        return struct.unpack(">IQIIIII", rest)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A mount of a folder that the guest has at /here."""
    made = Session(found_in(tmp_path))
    yield made
    made.close()


def found_in(place: Path) -> sftp.Found:
    """The folder, at /here."""
    folder = Folder(str(place), writable=True)

    def found(path: bytes) -> tuple[Folder, tuple[bytes, ...]]:
        names = tuple(each for each in path.split(b"/") if each)
        if names[:1] != (b"here",):
            raise FileNotFoundError(2, "not shared")
        return folder, names[1:]

    return found


WRITE_NEW = sftp.WRITES | sftp.CREATES | sftp.TRUNCATES


def test_it_says_what_it_can(session: Session) -> None:
    answer = session.answer(bytes((sftp.INIT, 0, 0, 0, 3)))
    assert answer[:5] == bytes((sftp.VERSION, 0, 0, 0, 3))
    for name in (sftp.POSIX_RENAME, sftp.HARDLINK, sftp.STATVFS, sftp.FSYNC):
        assert name in answer
    for bad in (b"", bytes((sftp.READ, 0, 0)), bytes((sftp.LSTAT, 0, 0, 0, 1)) + b"\0\0\0\x09x"):
        with pytest.raises(sftp.BadPacket):
            session.answer(bad)
    assert Client(session).status(99) == sftp.OP_UNSUPPORTED


def test_a_file_is_written_and_read(session: Session, tmp_path: Path) -> None:
    client = Client(session)
    handle = client.open(b"/here/new", WRITE_NEW | sftp.READS)
    assert client.status(sftp.WRITE, handle, struct.pack(">Q", 3), text(b"lo")) == sftp.OK
    assert client.status(sftp.WRITE, handle, struct.pack(">Q", 0), text(b"hel")) == sftp.OK
    said, rest = client.ask(sftp.READ, handle, struct.pack(">QI", 1, 100))
    assert (said, rest) == (sftp.DATA, text(b"ello"))
    assert client.status(sftp.READ, handle, struct.pack(">QI", 5, 100)) == sftp.EOF
    assert client.status(sftp.EXTENDED, text(sftp.FSYNC), handle) == sftp.OK
    assert client.status(sftp.CLOSE, handle) == sftp.OK
    assert (tmp_path / "new").read_text() == "hello"
    assert client.attributes(b"/here/new")[1] == 5
    assert client.status(sftp.LSTAT, text(b"/else/new")) == sftp.NO_SUCH_FILE
    assert client.ask(sftp.EXTENDED, text(sftp.STATVFS), text(b"/here"))[0] == sftp.EXTENDED_REPLY


def test_every_entry_of_a_large_folder_is_told_once(session: Session, tmp_path: Path) -> None:
    for number in range(250):
        (tmp_path / f"{number:03}").touch()
    client = Client(session)
    _, handle = client.ask(sftp.OPENDIR, text(b"/here"))
    seen = []
    while (said := client.ask(sftp.READDIR, handle))[0] == sftp.NAME:
        (count,) = struct.unpack(">I", said[1][:4])
        rest = said[1][4:]
        for _ in range(count):
            (length,) = struct.unpack(">I", rest[:4])
            seen.append(rest[4 : 4 + length].decode())
            rest = rest[4 + length + 4 + 32 :]
    assert sorted(seen) == [".", "..", *(f"{number:03}" for number in range(250))]


def test_what_is_the_persons_is_roots_in_there_and_stays_so(session: Session, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    client = Client(session)
    assert client.attributes(b"/here/mine")[2:4] == (0, 0)
    assert stat.S_ISREG(client.attributes(b"/here/mine")[4])
    owner = struct.pack(">I", sftp.OWNER)
    assert client.status(sftp.SETSTAT, text(b"/here/mine"), owner + struct.pack(">II", 0, 0)) == sftp.OK
    assert client.status(sftp.SETSTAT, text(b"/here/mine"), owner + struct.pack(">II", 999, 999)) == sftp.FAILURE
    mode = struct.pack(">II", sftp.MODE, 0o640)
    assert client.status(sftp.SETSTAT, text(b"/here/mine"), mode) == sftp.OK
    assert stat.S_IMODE((tmp_path / "mine").stat().st_mode) == 0o640


def test_what_the_guest_changes_is_said_and_what_it_only_repeats_is_not(tmp_path: Path) -> None:
    said: list[bytes] = []
    client = Client(Session(found_in(tmp_path), said.append))
    handle = client.open(b"/here/a", WRITE_NEW)
    client.status(sftp.WRITE, handle, struct.pack(">Q", 0), text(b"x"))
    client.status(sftp.RENAME, text(b"/here/a"), text(b"/here/b"))
    client.status(sftp.REMOVE, text(b"/here/b"))
    assert said == [b"/here/a", b"/here/a", b"/here/a", b"/here/b", b"/here/b"]
    said.clear()
    (tmp_path / "ours").touch()
    os.utime(tmp_path / "ours", ns=(5, 7_000_000_123))
    assert client.status(sftp.SETSTAT, text(b"/here/ours"), struct.pack(">III", sftp.TIMES, 0, 7)) == sftp.OK
    assert (tmp_path / "ours").stat().st_mtime_ns == 7_000_000_123
    assert said == []
    assert client.status(sftp.SETSTAT, text(b"/here/ours"), struct.pack(">III", sftp.TIMES, 0, 8)) == sftp.OK
    assert said == [b"/here/ours"]
    client.session.close()


def test_names_change_as_they_should(session: Session, tmp_path: Path) -> None:
    client = Client(session)
    for name in (b"a", b"b"):
        client.open(b"/here/" + name, WRITE_NEW)
    assert client.status(sftp.RENAME, text(b"/here/a"), text(b"/here/b")) == sftp.FAILURE
    assert client.status(sftp.EXTENDED, text(sftp.POSIX_RENAME), text(b"/here/a"), text(b"/here/b")) == sftp.OK
    assert client.status(sftp.EXTENDED, text(sftp.HARDLINK), text(b"/here/b"), text(b"/here/c")) == sftp.OK
    assert client.status(sftp.SYMLINK, text(b"/elsewhere"), text(b"/here/l")) == sftp.OK
    assert text(b"/elsewhere") in client.ask(sftp.READLINK, text(b"/here/l"))[1]
    assert client.status(sftp.MKDIR, text(b"/here/d"), struct.pack(">I", 0)) == sftp.OK
    assert client.status(sftp.RMDIR, text(b"/here/d")) == sftp.OK
    assert client.status(sftp.REMOVE, text(b"/here/l")) == sftp.OK
    assert sorted(os.listdir(tmp_path)) == ["b", "c"]


def test_what_is_asked_again_is_not_done_again(session: Session, tmp_path: Path) -> None:
    client = Client(session)
    made = (text(b"/here/d"), struct.pack(">I", 0))
    assert client.status(sftp.MKDIR, *made, number=7) == sftp.OK
    assert client.status(sftp.MKDIR, *made, number=7) == sftp.OK
    assert client.status(sftp.MKDIR, *made, number=8) == sftp.FAILURE


def test_an_open_file_outlives_the_server(session: Session, tmp_path: Path) -> None:
    client = Client(session)
    handle = client.open(b"/here/log", WRITE_NEW)
    assert client.status(sftp.WRITE, handle, struct.pack(">Q", 0), text(b"before,")) == sftp.OK
    session.close()
    after = Client(Session(found_in(tmp_path)))
    assert after.status(sftp.WRITE, handle, struct.pack(">Q", 7), text(b"after")) == sftp.OK
    assert (tmp_path / "log").read_text() == "before,after"
    assert after.status(sftp.WRITE, text(b"f1 x"), struct.pack(">Q", 0), text(b"x")) == sftp.FAILURE
    assert after.status(sftp.READ, text(b"f0 1 aa /etc/passwd"), struct.pack(">QI", 0, 9)) == sftp.NO_SUCH_FILE
    after.session.close()


class Host:
    """A server for share-connect, whose connections break at chosen bytes."""

    def __init__(self, path: Path, session: Session, lengths: list[int]) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self.session, self.lengths, self.names = session, lengths, set[bytes]()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            caller, _ = self._listener.accept()
            with caller, suppress(OSError):
                self.names.add(name := caller.recv(16, socket.MSG_WAITALL))
                if not name:
                    return
                self._answer(caller)

    def _answer(self, caller: socket.socket) -> None:
        left = self.lengths.pop(0) if self.lengths else 1 << 30
        while head := caller.recv(4, socket.MSG_WAITALL):
            packet = caller.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
            answer = text(self.session.answer(packet))
            caller.sendall(answer[:left])
            left -= len(answer)
            if left <= 0:
                return

    def close(self, path: Path) -> None:
        """End it."""
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(str(path))
        self._thread.join()
        self._listener.close()


@pytest.mark.skipif(shutil.which("perl") is None, reason="perl is not installed")
def test_the_guests_end_asks_again_over_the_next_connection(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    host = Host(path, session, [5, 60, 61, 130, 7])
    ours, theirs = socket.socketpair()
    ours.settimeout(60)
    process = subprocess.Popen(
        ["perl", str(CONNECT), str(path), "-x", "host"], stdin=theirs.fileno(), stdout=theirs.fileno()
    )
    theirs.close()

    def answer() -> bytes:
        return ours.recv(int.from_bytes(ours.recv(4, socket.MSG_WAITALL), "big"), socket.MSG_WAITALL)

    try:
        ours.sendall(text(bytes((sftp.INIT, 0, 0, 0, 3))))
        assert answer()[0] == sftp.VERSION
        for number in range(40):
            body = text(f"/here/{number}".encode()) + struct.pack(">I", 0)
            ours.sendall(text(bytes((sftp.MKDIR,)) + struct.pack(">I", number) + body))
        said = {}
        for _ in range(40):
            kind, number, code = struct.unpack(">BII", answer()[:9])
            assert kind == sftp.STATUS
            assert number not in said
            said[number] = code
        assert said == dict.fromkeys(range(40), sftp.OK)
        assert len(host.names) == 1
    finally:
        ours.close()
        assert process.wait(60) == 0
        host.close(path)
    assert {str(number) for number in range(40)} <= set(os.listdir(tmp_path))
