"""Checks with a fake QEMU: nothing there, stopped, broken in every way; each has its words, and its repair helps."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from app import checkwordings
from tests.vm import test_machine as base
from vm import images
from vm.diagnosis import here, inside, looking
from vm.diagnosis.check import ASKED, NAMES, REPAIRS, Check, Name
from vm.diagnosis.seen import Seen
from vm.guest.manifest import FILES
from vm.images import ARCHES
from vm.machine import Machine
from vm.qemu.host import this_host
from vm.report import Published, Report

pytestmark = [pytest.mark.asyncio, base.pytestmark]
home, machine, install, image, created = base.home, base.machine, base.install, base.image, base.created


async def looked(machine: Machine) -> dict[Name, Check]:
    found = {check.name: check async for check in machine.diagnose()}
    assert set(found) == set(NAMES)
    for check in found.values():
        assert checkwordings.title(check)
        if check.hint or check.result in ("bad", "warning"):
            assert checkwordings.explanation(check) not in ("", "It could not be looked at."), check
        assert "\n" not in checkwordings.line(check)
        assert check.repair in checkwordings.REPAIRS or not check.repair
    return found


async def test_every_check_and_repair_has_its_words() -> None:
    assert set(looking.CHECKS) == set(NAMES) == set(checkwordings.NAMES)
    assert set(REPAIRS) - {""} == set(checkwordings.REPAIRS)
    assert set(ASKED) == set(checkwordings.CONSEQUENCES)


async def test_without_a_machine_what_it_needs_is_looked_at(machine: Machine, install: base.Install) -> None:
    del install
    found = await looked(machine)
    assert found["qemu"].told.endswith("version 7.2.22")
    assert {name for name, check in found.items() if check.result == "good"} == {"qemu", "space"}
    assert not [check for check in found.values() if check.result == "bad"]
    assert not machine.paths.home.exists()


async def test_one_that_is_stopped_can_be_started(created: Machine) -> None:
    found = await looked(created)
    assert (found["process"].result, found["process"].repair) == ("warning", "start")
    assert found["image"].result == found["folders"].result == found["disk"].result == "good"
    assert found["ssh"].hint == "not-running"


async def test_each_broken_part_is_found_and_no_other_suffers(
    created: Machine, home: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (created.paths.image / "kernel").write_bytes(b"broken")
    created.paths.user_key.chmod(0o644)
    tool = home / "bin" / "qemu-img"
    tool.write_text(f'{base.QEMU_IMG}if [ "$1" = check ]; then echo "ERROR cluster" >&2; exit 2; fi\n')
    (home / "bin" / this_host().emulator).write_text("#!/bin/sh\necho broken >&2; exit 7\n")
    monkeypatch.setenv("PATH", str(home / "bin"))
    found = await looked(created)
    assert (found["qemu"].result, found["qemu"].hint) == ("bad", "QemuCrashed")
    assert (found["image"].hint, found["image"].repair) == ("ImageDamaged", "image")
    assert (found["folders"].hint, found["folders"].repair) == ("open-folders", "folders")

    (home / "bin" / this_host().emulator).write_text('#!/bin/sh\necho "QEMU emulator version 7.2.22"\n')
    found = await looked(created)
    assert (found["disk"].result, found["disk"].hint, found["disk"].repair) == ("bad", "DiskCorrupt", "disk")

    await created.repair("folders")
    image.rename(image.with_name(ARCHES[this_host().arch]))
    monkeypatch.setattr(images, "BUILT", image.parent)
    await created.repair("image")
    tool.write_text(base.QEMU_IMG)
    await created.repair("disk")
    found = await looked(created)
    assert {found[name].result for name in ("folders", "image", "disk")} == {"good"}
    assert all((created.paths.image / name).exists() for name in FILES)


async def test_a_repair_that_is_none_is_refused(created: Machine) -> None:
    for name in ("", "everything"):
        with pytest.raises(ValueError, match="nothing is mended"):
            await created.repair(name)  # type: ignore[arg-type]


async def test_what_hangs_is_given_up_and_says_so(created: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: Seen) -> Check:
        await asyncio.sleep(3600)
        raise AssertionError

    monkeypatch.setitem(looking.CHECKS, "qemu", (0.05, never))
    found = await looked(created)
    assert (found["qemu"].result, found["qemu"].hint) == ("unknown", "late")


async def test_a_supervisor_that_says_nothing_is_bad_and_all_else_is_looked_at(
    created: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "STATE_SECONDS", 0.2)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(created.paths.control))
        deaf.listen()
        found = await looked(created)
    assert (found["process"].hint, found["process"].repair) == ("silent", "restart")
    assert found["image"].result == "good"


def running(machine: Machine, **fields: Any) -> Seen:
    return Seen(machine, Report("running", ssh_port=1, pid=1, **fields))


async def test_ports_that_do_not_answer_are_named(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        open_, shut = listening.getsockname()[1], closed.getsockname()[1]
        good = Published("tcp", "0.0.0.0", open_)
        assert (await here.ports(running(machine, ports=(good,)))).result == "good"
        taken = Published("udp", "0.0.0.0", 53, "taken")
        found = await here.ports(running(machine, ports=(good, Published("tcp", "127.0.0.1", shut), taken)))
    assert found.result == "bad"
    assert f"127.0.0.1:{shut}/tcp: " in found.told
    assert "0.0.0.0:53/udp: taken" in found.told
    assert str(open_) not in found.told


class Said(Seen):
    """A guest that answers what it was told to."""

    def __init__(self, machine: Machine, **answers: str) -> None:
        super().__init__(machine, Report("running", ssh_port=1))
        self.answers, self.asked = answers, []

    asked: list[str]

    async def ask(self, command: str, seconds: float = 30.0) -> str:
        self.asked.append(command)
        return next((said for word, said in self.answers.items() if word in command), "")

    async def way(self) -> Any:
        return None


async def test_the_room_inside(machine: Machine) -> None:
    for percent, result in ((10, "good"), (90, "warning"), (99, "bad")):
        said = Said(machine, df=f"/dev/vdb 1000 900 {1000 - percent} {percent}% /var/lib/pilothouse\n")
        assert (await inside.room(said)).result == result


async def test_names_inside(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = "Server:\t\t169.254.53.53\nAddress:\t169.254.53.53:53\n\nName:\t{0}\nAddress: 192.0.2.7\n"
    both = {"registry-1": answer.format(inside.ELSEWHERE), "host.docker": answer.format(inside.HERE)}
    assert (await inside.names(Said(machine, **both))).result == "good"

    for resolved, wanted in ((True, ("bad", "no-names")), (False, ("warning", "nothing-resolves"))):

        async def resolves(said: bool = resolved) -> bool:
            return said

        monkeypatch.setattr(inside, "_resolves_here", resolves)
        found = await inside.names(Said(machine, **{"host.docker": both["host.docker"]}))
        assert (found.result, found.hint) == wanted
    found = await inside.names(Said(machine, registry=both["registry-1"]))
    assert (found.result, found.hint, found.repair) == ("bad", "no-name-of-host", "names")


async def test_a_proxy_is_told_without_its_password(machine: Machine) -> None:
    assert (await inside.proxy(Said(machine))).hint == "no-proxy"
    handed = "http=http://me:secret@proxy.example:3128\nno=localhost\n"
    found = await inside.proxy(Said(machine, cat=handed))
    assert (found.result, found.told, found.hint) == ("bad", "proxy.example:3128", "proxy-silent")
    asked = Said(machine, cat=handed, nc="answers\n")
    assert (await inside.proxy(asked)).result == "good"
    assert "secret" not in "".join(asked.asked)


async def test_the_time_inside(machine: Machine) -> None:
    said = await inside.time(Said(machine, date="1000\n"))
    assert (said.result, said.repair) == ("bad", "clock")
