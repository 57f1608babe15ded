"""Quitting in the middle of a BuildKit build and fifty streams: all of it ends, and the history says so."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.stores.builds import CANCELLED, BuildHistory
from backend.endpoint import UnixSocket
from tests.e2e.conftest import DockerCli
from tests.e2e.test_process import WITH_SCRIPT, Program, home, program

__all__ = ["home"]
pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

BUILDS = """
from pathlib import Path
from app.places import Place
from backend import containers
from backend.types.builds import Builder, BuildRequest
async def follow(engine, cid):
    async for _ in containers.stats_stream(engine, cid):
        pass
def script(desk):
    engine = desk.session.engine
    for cid in desk.session.stores.containers.values:
        for _ in range(%(streams)d):
            desk.scope.start(follow(engine, cid), name="follow")
    page = desk.window.page("builds")
    desk.window.go(Place("builds"))
    page.start(BuildRequest(context=Path(%(context)r), no_cache=True, builder=Builder.BUILDKIT), "FROM x\\n")
"""
STUBBORN = """\
#!/bin/sh
[ "$1" = version ] && { echo docker-buildx v0.13.1; exit 0; }
trap 'echo asked to end >&2' TERM
sleep 98764 & sleep 98764 & echo $! > "$0.began"
while :; do wait; done
"""


@pytest.fixture
def containers(docker_cli: DockerCli, busybox_image: str) -> Iterator[int]:
    """Five containers to be followed."""
    names = [f"followed-{n}" for n in range(5)]
    for name in names:
        docker_cli(
            "run", "-d", "--name", name, "--network", "none", "--stop-timeout", "0", busybox_image, "sleep", "600"
        )
    yield len(names)
    docker_cli("rm", "-f", *names)


def running(*words: str) -> list[int]:
    """Processes of this host, inside containers too, whose command line has these words."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if line and all(word.encode() in line for word in words) and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


async def gone(*words: str) -> None:
    async with asyncio.timeout(20):
        while running(*words):
            await asyncio.sleep(0.05)


def code(context: Path, streams: int) -> str:
    return WITH_SCRIPT.format(script=BUILDS % {"context": str(context), "streams": streams})


async def quits(app: Program, home: Path) -> None:
    """A signal ends it well, and its history has the build as cancelled."""
    app.process.send_signal(signal.SIGTERM)
    assert await app.ended() == 0, app.said
    assert "did not end in time" not in app.log
    assert "Traceback" not in "".join(app.said), app.said
    assert app.reports() == []
    history = BuildHistory(home / "data")
    (record,) = history.records
    assert record.state == CANCELLED
    assert record.finished >= record.started > 0
    history.close()


async def test_a_build_with_buildkit_ends(
    engine_host: UnixSocket, containers: int, busybox_image: str, buildx: Path, home: Path, tmp_path: Path
) -> None:
    config = Path(os.environ["DOCKER_CONFIG"])
    (config / "cli-plugins").mkdir(parents=True)
    (config / "cli-plugins" / "docker-buildx").symlink_to(buildx)
    (tmp_path / "Dockerfile").write_text(f"FROM {busybox_image}\nRUN sleep 98763\n")
    async with program(home, engine_host, code(tmp_path, 50 // containers)) as app:
        await app.until(lambda: running("sleep", "98763"), "the step to run in the engine")
        builders = [pid for pid in app.children() if b"buildx" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        assert len(builders) == 1
        before = app.children()
        await quits(app, home)
    assert [pid for pid in before if Path(f"/proc/{pid}").exists()] == []
    await gone("sleep", "98763")
    assert not list(Path("/tmp").glob("pilothouse-build-*"))


async def test_a_builder_that_will_not_end_is_ended(engine_host: UnixSocket, home: Path, tmp_path: Path) -> None:
    """With its children, within what quitting may take."""
    program_ = Path(os.environ["DOCKER_CONFIG"]) / "cli-plugins" / "docker-buildx"
    program_.parent.mkdir(parents=True)
    program_.write_text(STUBBORN)
    program_.chmod(0o755)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    async with program(home, engine_host, code(tmp_path, 0)) as app:
        await app.until(lambda: Path(f"{program_}.began").exists(), "the builder to begin")
        await app.until(lambda: len(running("sleep", "98764")) == 2, "its own programs to run")
        before = app.children()
        await quits(app, home)
    assert [pid for pid in before if Path(f"/proc/{pid}").exists()] == []
    await gone("sleep", "98764")
