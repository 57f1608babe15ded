"""What binds a folder that the machine does not see is not run, and a container that could not own one says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import paths
from app.commands.ownership import mount_in, ownership_notice
from app.commands.run.checks import place_of
from app.commands.run.form import MountRow, RunForm
from app.commands.run.unshared import refuse_unshared
from app.machinehere import shared_with_machine
from app.notices import notice_for
from app.places import Place
from backend.client import Engine
from backend.endpoint import UnixSocket
from backend.types.containers import Mount
from vm import making
from vm.errors import PathNotShared, ShareRefused
from vm.paths import MachinePaths


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MachinePaths:
    """A machine that is made and does not run."""
    monkeypatch.setenv("PILOTHOUSE_HOME", str(tmp_path / "p"))
    made = MachinePaths.below(paths.data_dir(), paths.runtime_dir())
    made.make()
    making.write(made, making.usual())
    return made


def form(*sources: str) -> RunForm:
    """A form that binds these."""
    rows = tuple(MountRow("bind", source, f"/work/{n}") for n, source in enumerate(sources))
    return RunForm(image="postgres:16", name="db", mounts=rows)


@pytest.mark.asyncio
async def test_a_folder_that_is_not_shared_is_refused_and_can_be_shared(machine: MachinePaths, tmp_path: Path) -> None:
    engine = Engine(UnixSocket(str(machine.socket)))
    wanted = form("/var/run/docker.sock", str(tmp_path / "a"), "/sys")
    with pytest.raises(PathNotShared) as told:
        await refuse_unshared(engine, wanted)
    assert place_of(told.value, wanted) == "mounts.1.source"
    step = notice_for(told.value).step
    assert step is not None
    assert (step.label, step.act, step.argument) == ("Share this folder", "share-folder", str(tmp_path / "a"))

    with pytest.raises(ShareRefused, match="is not there"):
        await shared_with_machine(str(tmp_path / "a"))
    (tmp_path / "a").mkdir()
    assert (await shared_with_machine(str(tmp_path / "a"))).kind == "success"
    await refuse_unshared(engine, wanted)
    assert [each.path for each in making.read(machine).shares] == [str(tmp_path / "a")]
    await engine.close()


@pytest.mark.asyncio
async def test_another_engine_is_left_alone(machine: MachinePaths) -> None:
    wanted = form("/nowhere")
    ours, another = Engine(machine.endpoint), Engine(UnixSocket("/run/docker.sock"))
    with pytest.raises(PathNotShared):
        await refuse_unshared(ours, wanted)
    await refuse_unshared(another, wanted)
    await ours.close()
    await another.close()


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (
            "chown: changing ownership of '/var/lib/postgresql/data': Operation not permitted\n",
            "/var/lib/postgresql/data",
        ),
        ("chown: /var/lib/mysql: Operation not permitted", "/var/lib/mysql"),
        ("x\nchown: changing ownership of '/var/lib/mysql/': Permission denied\ny", "/var/lib/mysql"),
        (
            'initdb: error: could not change permissions of directory "/var/lib/mysql/x": Operation not permitted',
            "/var/lib/mysql",
        ),
        ("chown: /etc/shadow: Operation not permitted", ""),
        ("chmod: /var/lib/mysql: Operation not permitted", ""),
        ("chown: /var/lib/mysqlx: Operation not permitted", ""),
        ("all is well with /var/lib/mysql", ""),
    ],
)
def test_the_complaint_of_an_image_names_the_mount(log: str, found: str) -> None:
    binds = [Mount("bind", destination=each) for each in ("/var/lib/postgresql/data", "/var/lib/mysql", "/srv")]
    mount = mount_in(log, binds)
    assert (mount.destination if mount is not None else "") == found


def test_a_volume_is_offered_in_the_folders_place() -> None:
    made = form("/home/ann/db", "/home/ann/more")
    notice = ownership_notice("db", Mount("bind", destination="/work/0"), made)
    assert "named volume" in notice.detail
    assert notice.step is not None
    place = notice.step.argument
    assert isinstance(place, Place)
    assert isinstance(place.extra, RunForm)
    assert place.extra.mounts == (MountRow("volume", "db-data", "/work/0"), made.mounts[1])
    assert place.extra.name == "db-2"
    assert ownership_notice("db", Mount("bind", destination="/work/0")).step is None
