"""What the guest holds of this computer: only what differs is told, again after a failure, and nothing secret shown."""

from __future__ import annotations

import asyncio
from hashlib import md5
from typing import cast

import pytest

from backend.ssh.link import ChannelRefused
from tests.e2e.guest.hosts import certificate
from vm.guest.handover import Proxy
from vm.guestlink import GuestLink
from vm.supervisor import handing
from vm.supervisor.handing import NAMES, Handing
from vm.surroundings.authorities import Authorities, AuthorityReader
from vm.surroundings.proxies import ProxyReader

pytestmark = pytest.mark.asyncio


class GuestFiles:
    """The values as the guest keeps them."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.told: list[str] = []
        self.refuses = False
        self.code = 0
        self.session = self

    async def run(self, command: str, *, deadline: float, given: bytes = b"") -> tuple[int, bytes, bytes]:
        del deadline
        if self.refuses:
            raise ChannelRefused("not now")
        if command == handing.HELD:
            lines = [f"{md5(value).hexdigest()}  {name}\n" for name, value in self.held.items()]
            return 1, "".join(lines).encode(), b"md5sum: no such file"
        name = command.removeprefix("pilothouse set ")
        self.told.append(name)
        if self.code:
            return self.code, b"", b"no room\n"
        self.held[name] = given
        return 0, b"", b""


class Computer:
    """What this computer would say of itself."""

    proxy = Proxy()
    trusted = Authorities()


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> Computer:
    said = Computer()
    monkeypatch.setattr(ProxyReader, "read", lambda *_: said.proxy)
    monkeypatch.setattr(AuthorityReader, "read", lambda _: said.trusted)
    monkeypatch.setattr(handing, "LOOK_EVERY", 0.01)
    return said


async def eventually_held(guest: GuestFiles, name: str, value: bytes) -> None:
    async with asyncio.timeout(20):
        while guest.held.get(name) != value:
            await asyncio.sleep(0.01)


async def test_only_what_changed_is_told_and_the_rest_is_left_alone(computer: Computer) -> None:
    log: list[str] = []
    told = Handing(log.append)
    await told.open()
    guest = GuestFiles()
    guest.held = dict(told.values())
    assert set(guest.held) == set(NAMES)
    assert guest.held["resolver"].startswith(b"198.51.100.2#")
    assert (guest.held["proxy"], guest.held["certificates"]) == (b"", b"")
    following = asyncio.ensure_future(told.follow(cast("GuestLink", guest)))
    await asyncio.sleep(0.1)
    assert guest.told == []

    computer.proxy = Proxy("", "http://me:secret@198.51.100.2:3128", ("corp.example",))
    await eventually_held(guest, "proxy", b"https=http://me:secret@198.51.100.2:3128\nno=corp.example\n")
    own = certificate("Company Root")[0].decode()
    computer.trusted = Authorities(own, 1)
    await eventually_held(guest, "certificates", own.encode())
    assert guest.told == ["proxy", "certificates"]
    assert told.told.proxy == "http://198.51.100.2:3128"
    assert (told.told.no_proxy, told.told.authorities) == (("corp.example",), 1)
    assert "secret" not in "".join(log) + repr(told.told)

    computer.proxy = Proxy()
    await eventually_held(guest, "proxy", b"")
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await told.close()


async def test_a_guest_that_was_woken_from_an_older_state_is_told_all_that_differs(computer: Computer) -> None:
    del computer
    told = Handing(lambda _: None)
    await told.open()
    guest = GuestFiles()
    guest.held = {**told.values(), "resolver": b"198.51.100.2#1\n"}
    await told.hand(cast("GuestLink", guest), None)
    assert guest.told == ["resolver"]
    assert guest.held == told.values()
    await told.close()


async def test_what_could_not_be_told_is_told_later_and_said_once(computer: Computer) -> None:
    del computer
    log: list[str] = []
    told = Handing(log.append)
    await told.open()
    guest = GuestFiles()
    guest.refuses = True
    following = asyncio.ensure_future(told.follow(cast("GuestLink", guest)))
    async with asyncio.timeout(20):
        while not told.told.error:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert log == ["handing: not now"]
    guest.refuses, guest.code = False, 1
    async with asyncio.timeout(20):
        while "no room" not in told.told.error:
            await asyncio.sleep(0.01)
    guest.code = 0
    async with asyncio.timeout(20):
        while told.told.error:
            await asyncio.sleep(0.01)
    assert guest.held == told.values()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await told.close()
