"""The machine and its supervisor with a QEMU that is the fake: every start that fails says where and why."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from backend.contexts import contexts, current_name
from tests.fakes import qemu as fake
from tests.vm.guest.images import CONTENT, manifest
from vm import dockercontext, images, making
from vm.errors import (
    DockerConfigUnusable,
    ImageDamaged,
    ImageMissing,
    MachineExists,
    MachineFolderUnusable,
    MachineMissing,
    MachineStartFailed,
)
from vm.guest.manifest import MANIFEST, encode
from vm.guest.trust import mark_built
from vm.machine import Machine
from vm.making import ARCHES, Settings
from vm.paths import MachinePaths
from vm.qemu.host import this_host
from vm.qemu.logs import tail

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its programs are scripts of a POSIX shell")
SMALL = Settings(cpus=1, memory=512, disk=1 << 30)
Install = Callable[..., None]
QEMU = """#!/bin/sh
case "$*" in
  --version) echo "QEMU emulator version 7.2.22";;
  *"-serial stdio"*) echo "Run /init as init process"; sleep 5;;
  *) exec {python} {fake} '{script}';;
esac
"""
QEMU_IMG = """#!/bin/sh
case "$1" in info) echo '{"virtual-size": 1073741824, "actual-size": 4096}';; esac
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Short, since sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="ph-", dir="/tmp") as folder:
        monkeypatch.setenv("DOCKER_CONFIG", f"{folder}/docker")
        yield Path(folder)


@pytest.fixture
def machine(home: Path) -> Machine:
    return Machine(MachinePaths.below(home / 'it\'s a "home" é', home / "run"))


@pytest.fixture
def install(home: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """`install(ready="STEP …")`: programs of QEMU on PATH, the fake among them, and nothing else of ours."""
    folder = home / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def written(**script: object) -> None:
        words = QEMU.format(python=sys.executable, fake=fake.__file__, script=json.dumps(script))
        for name, content in ((this_host().emulator, words), ("qemu-img", QEMU_IMG)):
            (folder / name).write_text(content)
            (folder / name).chmod(0o755)

    written()
    return written


@pytest.fixture
def image(home: Path) -> Path:
    """What make guest would have built."""
    folder = home / "built"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST).write_bytes(encode(manifest(arch=ARCHES[this_host().arch])))
    mark_built(folder)
    return folder


@pytest_asyncio.fixture
async def created(machine: Machine, install: Install, image: Path) -> Machine:
    del install
    await machine.create(SMALL, image)
    return machine


@pytest.mark.asyncio
async def test_a_machine_is_made_once_of_private_files(created: Machine, image: Path) -> None:
    paths = created.paths
    for folder in (paths.home, paths.runtime, paths.user_key.parent, paths.handed):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in (paths.user_key, paths.host_key, paths.settings):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert making.read(paths) == SMALL
    assert paths.user_key.read_bytes() != paths.host_key.read_bytes()
    assert (await created.inspect()).state == "stopped"
    with pytest.raises(MachineExists):
        await created.create(SMALL, image)


@pytest.mark.asyncio
async def test_without_an_image_the_command_that_builds_one_is_told(machine: Machine, install: Install) -> None:
    del install
    with pytest.raises(ImageMissing) as caught:
        await machine.create(SMALL, machine.paths.home / "nowhere")
    assert caught.value.command == "make guest"
    assert not machine.paths.home.exists()
    assert (await machine.inspect()).state == "absent"
    with pytest.raises(MachineMissing):
        await machine.start()


@pytest.mark.asyncio
async def test_what_make_guest_built_is_found(
    machine: Machine, install: Install, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del install
    image.rename(image.with_name(ARCHES[this_host().arch]))
    monkeypatch.setattr(images, "BUILT", image.parent)
    await machine.create()
    assert making.read(machine.paths) == making.usual()
    assert (machine.paths.image / "root").read_bytes() == CONTENT["root"]


@pytest.mark.asyncio
async def test_an_image_with_other_bytes_is_not_taken(machine: Machine, install: Install, image: Path) -> None:
    del install
    (image / "root").write_bytes(b"something else")
    with pytest.raises(ImageDamaged):
        await machine.create(SMALL, image)
    assert not machine.created


@pytest.mark.asyncio
async def test_a_runtime_folder_that_is_too_deep_is_told_before_anything_runs(home: Path) -> None:
    paths = MachinePaths(home / "data", home / ("long" * 25))
    with pytest.raises(MachineFolderUnusable, match="longer than 103 bytes"):
        paths.make()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("script", "step", "kind", "reason"),
    [
        ({"ready": "STEP handed ok\nSTEP data failed foreign\n"}, "guest", "GuestStepFailed", "data: foreign"),
        ({"faults": ["crash"]}, "process", "SshPortTaken", "port"),
        ({"faults": ["garbage"]}, "guest", "QmpGarbage", "WARNING"),
    ],
    ids=["a step of the guest", "QEMU ends", "QEMU talks nonsense"],
)
async def test_a_start_that_fails_says_where_and_why(
    created: Machine, install: Install, script: dict[str, object], step: str, kind: str, reason: str
) -> None:
    install(**script)
    with pytest.raises(MachineStartFailed) as caught:
        await created.start()
    assert (caught.value.step, caught.value.kind) == (step, kind), tail(created.paths.log)
    assert reason in caught.value.reason
    report = await created.stop()
    assert report.state == "failed"
    assert report.failure is not None
    assert report.failure.step == step
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in created.paths.home.rglob("*") if path.is_file()}
    assert {name for name, mode in modes.items() if mode != 0o600} <= {created.paths.disk.name}  # The fake qemu-img's.


@pytest.mark.asyncio
async def test_what_went_missing_since_is_told_by_its_name(created: Machine, home: Path) -> None:
    (created.paths.image / "initrd").unlink()
    with pytest.raises(MachineStartFailed) as caught:
        await created.start()
    assert (caught.value.step, caught.value.kind) == ("image", "ImageDamaged")
    shutil.copy(home / "built" / "initrd", created.paths.image / "initrd")
    (home / "bin" / this_host().emulator).unlink()
    if shutil.which(this_host().emulator) is None:
        with pytest.raises(MachineStartFailed) as caught:
            await created.start()
        assert (caught.value.step, caught.value.kind) == ("qemu", "QemuMissing")


@pytest.mark.asyncio
async def test_a_start_can_be_given_up_and_tells_its_steps_meanwhile(created: Machine) -> None:
    seen: list[str] = []
    starting = asyncio.ensure_future(created.start(lambda report: seen.extend(each.name for each in report.steps)))
    async with asyncio.timeout(60):
        while "guest" not in seen:
            await asyncio.sleep(0.02)
    report = await created.inspect()
    assert report.state == "starting"
    assert report.pid > 0
    assert stat.S_IMODE(created.paths.control.stat().st_mode) == 0o600
    assert (await created.stop()).state == "stopped"
    assert not os.path.exists(f"/proc/{report.pid}") or sys.platform != "linux"
    await asyncio.gather(starting, return_exceptions=True)
    assert seen.index("image") < seen.index("qemu") < seen.index("accelerator") < seen.index("process")


@pytest.mark.asyncio
async def test_a_supervisor_that_cannot_start_is_told_with_its_words(
    created: Machine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(home / "gone"))
    with pytest.raises(MachineStartFailed, match=r"supervisor: .*No such file"):
        await created.start()
    broken = home / "python"
    broken.write_text("#!/bin/sh\necho 'no module named vm' >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(MachineStartFailed) as caught:
        await created.start()
    assert (caught.value.reason, caught.value.console) == ("it ended with 3", ("no module named vm",))


@pytest.mark.asyncio
async def test_deleting_takes_all_of_it(created: Machine) -> None:
    await created.delete()
    assert not created.paths.home.exists()
    assert (await created.inspect()).state == "absent"
    with pytest.raises(MachineMissing):
        await created.delete()


@pytest.mark.asyncio
async def test_whether_docker_uses_it_is_kept_and_given_back_when_it_is_deleted(created: Machine, home: Path) -> None:
    await created.use_context(True)
    assert making.read(created.paths).context
    assert not (home / "docker").exists()  # Not while it does not run.
    dockercontext.begin(created.paths)
    assert current_name(home / "docker", {}) == dockercontext.NAME
    await created.use_context(False)
    assert current_name(home / "docker", {}) == ""
    await created.use_context(True)
    dockercontext.begin(created.paths)
    await created.delete()
    assert current_name(home / "docker", {}) == ""
    assert contexts(home / "docker") == []


@pytest.mark.asyncio
async def test_a_docker_config_that_broke_is_told_once_it_is_deleted(created: Machine, home: Path) -> None:
    await created.use_context(True)
    dockercontext.begin(created.paths)
    (home / "docker" / "config.json").write_text("{")
    with pytest.raises(DockerConfigUnusable):
        await created.delete()
    assert not created.paths.home.exists()
