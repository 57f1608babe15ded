"""Another image for a machine: brought, refused, gone back from; killed at every step it leaves one that starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.vm import test_machine as base
from tests.vm.guest.images import CONTENT, manifest
from vm import images, updating
from vm.errors import (
    DataNewer,
    ImageDamaged,
    ImageError,
    ImageTooOld,
    ImageUnsigned,
    ImageWrongArchitecture,
    MachineMissing,
    MachineStartFailed,
    MachineUpdating,
    RollbackMissing,
    UpdateFailed,
)
from vm.guest.disk import BLANK, SECTOR, DataVersion, mark
from vm.guest.manifest import FILES, MANIFEST, encode
from vm.guest.trust import BUILT, mark_built
from vm.images import ARCHES
from vm.machine import Machine
from vm.qemu.host import this_host

pytestmark = [pytest.mark.asyncio, base.pytestmark]
home, machine, install, image = base.home, base.machine, base.install, base.image
created = base.created
ROOT = Path(__file__).parents[2]
NEWER = "20260203.1"


def another(folder: Path, version: str = NEWER, arch: str = "") -> Path:
    """An image like the first, of another version."""
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST).write_bytes(encode(manifest(version, arch or ARCHES[this_host().arch])))
    mark_built(folder)
    return folder


def used_with(home: Path, data: DataVersion) -> None:
    """The disk says so from now on."""
    (home / "beginning").write_bytes(BLANK[:SECTOR] + mark(data))
    tool = home / "bin" / "qemu-img"
    copied = f'for word; do case "$word" in of=*) cp {home}/beginning "${{word#of=}}";; esac; done'
    tool.write_text(f'{base.QEMU_IMG}if [ "$1" = dd ]; then {copied}; fi\n')


async def test_an_update_keeps_the_image_from_before_and_a_rollback_takes_it_again(
    created: Machine, home: Path
) -> None:
    said: list[str] = []
    first = (await created.inspect()).image
    report = await created.update(another(home / "second"), said.append)
    assert (report.state, report.image, report.rollback) == ("stopped", NEWER, first)
    assert said == ["image"]
    images.trusted_image(created.paths.image)
    again = await created.update(home / "second")
    assert (again.image, again.rollback) == (NEWER, first)
    third = await created.update(another(home / "third", "20260203.2"))
    assert (third.image, third.rollback) == ("20260203.2", NEWER)
    assert len([each for each in created.paths.images.iterdir() if each.is_dir()]) == 2
    report = await created.rollback()
    assert (report.image, report.rollback) == (NEWER, "")
    with pytest.raises(RollbackMissing):
        await created.rollback()


def _older(folder: Path) -> None:
    (folder / MANIFEST).write_bytes(encode(manifest("20250101.1", ARCHES[this_host().arch])))
    mark_built(folder)


def _unsigned(folder: Path) -> None:
    (folder / BUILT).unlink()


def _altered(folder: Path) -> None:
    (folder / "root").write_bytes(b"x" + CONTENT["root"][1:])


def _other_processor(folder: Path) -> None:
    (folder / MANIFEST).write_bytes(encode(manifest(NEWER, "mips64")))
    mark_built(folder)


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (_older, ImageTooOld),
        (_unsigned, ImageUnsigned),
        (_altered, ImageDamaged),
        (_other_processor, ImageWrongArchitecture),
    ],
)
async def test_what_cannot_be_used_is_refused_and_nothing_is_changed(
    created: Machine, home: Path, spoil: Callable[[Path], None], kind: type[ImageError]
) -> None:
    before = created.paths.in_use
    spoil(another(home / "second"))
    with pytest.raises(kind):
        await created.update(home / "second")
    assert created.paths.in_use == before
    images.trusted_image(created.paths.image)
    assert {each.name for each in created.paths.images.iterdir() if each.is_dir()} <= {created.paths.image.name, "new"}


async def test_newer_data_refuse_older_images_at_every_door(created: Machine, home: Path) -> None:
    await created.update(another(home / "second"))
    used_with(home, DataVersion(1, 99))
    before = created.paths.in_use
    with pytest.raises(DataNewer) as caught:
        await created.update(another(home / "third", "20260303.1"))
    assert (caught.value.found, caught.value.wanted) == ("layout 1, engine 99", "layout 1, engine 0")
    with pytest.raises(DataNewer):
        await created.rollback()
    assert created.paths.in_use == before
    with pytest.raises(MachineStartFailed) as refused:
        await created.start()
    assert (refused.value.step, refused.value.kind) == ("disk", "DataNewer")
    checks = {check.name: check async for check in created.diagnose()}
    assert (checks["disk"].result, checks["disk"].hint) == ("bad", "DataNewer")


async def test_one_that_runs_is_started_anew_and_a_failure_names_what_is_kept(
    created: Machine, home: Path, install: base.Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = (await created.inspect()).image
    install(ready="STEP handed ok\nSTEP data failed unwritable\n")
    said: list[str] = []
    told = iter(("running", "running"))
    inspected = type(created).inspect
    ended: list[str] = []

    async def inspect(self: Machine) -> object:
        report = await inspected(self)
        return msgspec.structs.replace(report, state=next(told, report.state))

    async def stop(self: Machine, seconds: float = 1) -> object:
        ended.append((await inspected(self)).image)
        return await inspected(self)

    monkeypatch.setattr(Machine, "inspect", inspect)
    monkeypatch.setattr(Machine, "stop", stop)
    with pytest.raises(UpdateFailed) as caught:
        await created.update(another(home / "second"), said.append)
    assert said == ["image", "stop", "start"]
    assert ended == [first]
    assert (caught.value.version, caught.value.before, caught.value.step) == (NEWER, first, "guest")
    monkeypatch.undo()
    assert (await created.inspect()).rollback == first


async def test_two_updates_at_once_are_one(created: Machine, home: Path) -> None:
    with images.alone(created.paths):
        for act in (created.update(another(home / "second")), created.rollback()):
            with pytest.raises(MachineUpdating):
                await act


async def test_without_a_machine_there_is_nothing_to_update(machine: Machine, install: object, home: Path) -> None:
    del install
    for act in (machine.update(another(home / "second")), machine.rollback()):
        with pytest.raises(MachineMissing):
            await act
    assert not machine.paths.home.exists()


async def test_a_damaged_image_is_replaced_by_a_whole_one(
    created: Machine, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (created.paths.image / "root").write_bytes(b"broken")
    checks = {check.name: check async for check in created.diagnose()}
    assert (checks["image"].result, checks["image"].repair) == ("bad", "image")
    image.rename(image.with_name(ARCHES[this_host().arch]))
    monkeypatch.setattr(images, "BUILT", image.parent)
    await created.repair("image")
    assert {name: (created.paths.image / name).read_bytes() for name in FILES} == CONTENT


@pytest.mark.parametrize("verb", ["update", "rollback"])
async def test_killed_at_any_step_it_leaves_a_machine_that_starts(created: Machine, home: Path, verb: str) -> None:
    created.paths.disk.write_bytes(b"precious")
    (home / "bin" / "qemu-img").write_text(base.QEMU_IMG)
    second = another(home / "second")
    if verb == "rollback":
        await updating.update(created, second, lambda _: None, lambda _, __: None)
    pristine = shutil.copytree(created.paths.home, home / "pristine")
    words = [verb, created.paths.home, created.paths.runtime, second, pristine]
    done = subprocess.run(
        [sys.executable, "-m", "tests.vm.killing", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) > (10 if verb == "update" else 5), done.stdout
    wanted = [NEWER, "20260102.1", "2"] if verb == "update" else ["20260102.1", "1"]
    assert [line[1:] for line in lines] == [wanted] * len(lines)


async def test_one_that_is_saved_is_ended_in_order_first(
    created: Machine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was saved of a running guest fits no other image."""
    first = (await created.inspect()).image
    done: list[tuple[str, str]] = []
    inspected = type(created).inspect

    async def inspect(self: Machine) -> object:
        return msgspec.structs.replace(await inspected(self), state="suspended")

    def act(name: str) -> Callable[..., object]:
        async def acts(self: Machine, *_: object) -> object:
            done.append((name, (await inspected(self)).image))
            return await inspected(self)

        return acts

    monkeypatch.setattr(Machine, "inspect", inspect)
    monkeypatch.setattr(Machine, "start", act("start"))
    monkeypatch.setattr(Machine, "stop", act("stop"))
    await created.update(another(home / "second"))
    assert done == [("start", first), ("stop", first), ("start", NEWER)]
