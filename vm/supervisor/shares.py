"""Shared folders of a running machine: served over its SSH connection, mounted in the guest, and watched.

The sshfs in the guest speaks SFTP to a socket there that only root may open, and which the host holds open through
the SSH session: no port listens anywhere, neither here nor in there.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from backend.ssh.errors import SshError
from backend.ssh.link import ChannelRefused, Link, LinkLost
from vm.guestlink import GuestLink
from vm.paths import MachinePaths
from vm.report import ShareState
from vm.shares.folder import Folder
from vm.shares.places import Share, guest_path, hidden_below, in_order, private_places, problem
from vm.shares.sftp import BadPacket, Session
from vm.supervisor.watching import Watching

SOCKET = "/run/pilothouse/shares.sock"
MOUNT_SECONDS = 120.0
NAME_BYTES = 16
"""What the guest's end of a mount says first, so that its next connection is known for the same mount."""
PIECE = 1 << 18
AWAY = "the machine did not mount it in time"


class Shares:
    """Keeps what the guest has mounted equal to what is to be shared."""

    def __init__(self, paths: MachinePaths, link: GuestLink, log: Callable[[str], None]) -> None:
        self._link, self._log = link, log
        self._private = private_places(Path.home(), (paths.home.parent, paths.runtime.parent))
        self._folders: dict[tuple[bytes, ...], Folder] = {}
        self._mounts: dict[bytes, _Mount] = {}
        self._lock = threading.Lock()
        self._applying = asyncio.Lock()
        self._listened: Link | None = None
        self._watching = Watching(link, log)
        self._states: tuple[ShareState, ...] = ()
        self._served: list[Share] = []

    @property
    def states(self) -> tuple[ShareState, ...]:
        """What is to be shared, and what of it is not."""
        failed = self._watching.failed
        return tuple(msgspec.structs.replace(each, unwatched=failed.get(each.path, "")) for each in self._states)

    @property
    def away(self) -> bool:
        """Whether the guest did not answer."""
        return any(state.reason == AWAY for state in self._states)

    async def apply(self, shares: Iterable[Share]) -> None:
        """Share these and no others; what went wrong is in `states`."""
        async with self._applying:
            wanted = in_order(shares)
            if not wanted and not self._states and self._listened is None:
                return
            why = {share.path: problem(share.path) for share in wanted}
            able = [share for share in wanted if not why[share.path]]
            if able != self._served:
                self._served = able
                self._serve(able)
            try:
                async with asyncio.timeout(MOUNT_SECONDS):
                    await self._link.session.each_link(self._on_link)
                    said = await self._mounted(able)
            except (SshError, ChannelRefused, OSError) as error:
                self._log(f"shares: {error!r}")
                said = {}
            for share in able:
                why[share.path] = said.get(guest_path(share.path), AWAY)
            self._states = tuple(ShareState(share.path, why[share.path]) for share in wanted)
            self._watching.watch(share for share in able if not why[share.path])
            for state in self._states:
                self._log(f"share {state.path}: {state.reason or 'mounted'}")

    async def close(self) -> None:
        """Serve nothing any more."""
        await self._watching.close()
        with self._lock:
            self._folders = {}
            mounts, self._mounts = list(self._mounts.values()), {}
        for mount in mounts:
            mount.close()

    def _serve(self, shares: Iterable[Share]) -> None:
        folders = {
            _names(guest_path(share.path).encode("utf-8", "surrogateescape")): Folder(
                share.path, writable=share.writable, hidden=hidden_below(share, self._private)
            )
            for share in shares
        }
        with self._lock:
            self._folders = folders
            mounts = list(self._mounts.values())
        for mount in mounts:
            mount.forget()  # What is open in a folder that is still shared is opened again.

    def _found(self, path: bytes) -> tuple[Folder, tuple[bytes, ...]]:
        names = _names(path)
        folders = self._folders
        for length in range(len(names), 0, -1):
            if (folder := folders.get(names[:length])) is not None:
                return folder, names[length:]
        raise FileNotFoundError(2, "not shared")

    async def _mounted(self, shares: Iterable[Share]) -> dict[str, str]:
        """Tell the guest; what it says of each path: nothing, or why it has it not. Raises SshError, ChannelRefused."""
        lines = [f"{guest_path(share.path)}\t{'rw' if share.writable else 'ro'}\n" for share in shares]
        stream = await self._link.session.open_program("pilothouse shares")
        reader, writer = await asyncio.open_connection(sock=stream)
        try:
            writer.write("".join(lines).encode("utf-8", "surrogateescape"))
            writer.write_eof()
            said = (await reader.read()).decode("utf-8", "surrogateescape")
        finally:
            writer.close()
        rows = (line.partition("\t") for line in said.splitlines())
        return {path: reason for path, tab, reason in rows if tab}

    def _on_link(self, link: Link) -> None:
        if link is self._listened:
            return
        try:
            link.listen(SOCKET, lambda channel: self._on_caller(link, channel))
            self._listened = link
        except (LinkLost, ChannelRefused) as error:
            self._log(f"shares: {error!r}")

    def _on_caller(self, link: Link, channel: Any) -> None:
        threading.Thread(target=self._answer, args=(link, channel), name="share", daemon=True).start()

    def _answer(self, link: Link, channel: Any) -> None:
        """Serve one connection of a mount to its end."""
        name = b""
        try:
            while len(name) < NAME_BYTES and (got := channel.recv(NAME_BYTES - len(name))):
                name += got
            with self._lock:
                mount = self._mounts.setdefault(name, _Mount(Session(self._found, self._watching.on_guest_changed)))
            mount.answer(channel)
        except (OSError, EOFError, BadPacket) as error:
            self._log(f"shares: {error!r}")
        finally:
            channel.close()
        if link.alive:  # The mount has ended, and not the connection.
            with self._lock:
                ended = self._mounts.pop(name, None)
            if ended is not None:
                ended.close()


class _Mount:
    """One mount of the guest, over all its connections."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._channel: Any = None

    def answer(self, channel: Any) -> None:
        """Answer what comes, until nothing comes any more. Raises OSError, EOFError, BadPacket."""
        self._channel, before = channel, self._channel
        if before is not None:
            before.close()
        came = bytearray()
        while got := channel.recv(PIECE):
            came += got
            answers = []
            while (packet := _taken(came)) is not None:
                with self._lock:
                    answer = self._session.answer(packet)
                answers.append(len(answer).to_bytes(4, "big") + answer)
            channel.sendall(b"".join(answers))

    def forget(self) -> None:
        """Close what is open; it is opened again when it is used."""
        with self._lock:
            self._session.close()

    def close(self) -> None:
        """End it."""
        if self._channel is not None:
            self._channel.close()
        self.forget()


def _taken(came: bytearray) -> bytes | None:
    """The next whole packet without its length, which is taken away. Raises BadPacket."""
    if len(came) < 4:
        return None
    end = 4 + int.from_bytes(came[:4], "big")
    if end > 2 * PIECE:
        raise BadPacket("it is too long")
    if len(came) < end:
        return None
    packet = bytes(came[4:end])
    del came[:end]
    return packet


def _names(path: bytes) -> tuple[bytes, ...]:
    return tuple(each for each in path.split(b"/") if each)
