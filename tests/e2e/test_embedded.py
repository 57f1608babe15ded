"""The embedded engine as root: its life, its neighbours, and what a crash leaves."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.embedded import EmbeddedEngine, EmbeddedPaths, identity, state
from backend.embedded.supervisor import drop_cgroups
from backend.errors import EngineStartFailed
from tests.e2e import images
from tests.e2e.conftest import DockerCli
from tests.e2e.daemon import wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.getuid() != 0, reason="test_rootless has the ordinary user's part"),
]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def place() -> Iterator[Path]:
    """A short folder for one embedded engine, which has ended when the test ends."""
    folder = Path(tempfile.mkdtemp(prefix="ph-", dir="/tmp"))
    yield folder
    held = state.held(_paths(folder))
    if held is not None:
        identity.send(held.who, signal.SIGKILL)
    wait_for(lambda: not _ours(folder))
    shutil.rmtree(folder)


@pytest.fixture
def engine(place: Path) -> EmbeddedEngine:
    return EmbeddedEngine(_paths(place))


@pytest.mark.asyncio
async def test_it_starts_is_adopted_and_leaves_nothing(engine: EmbeddedEngine, place: Path) -> None:
    assert (await engine.status()).state == "stopped"
    said: list[str] = []
    endpoint = await engine.start(said.append)
    status = await engine.status()
    assert (status.state, status.running, status.kind) == ("running", True, "dockerd")
    assert said[-1] == "The engine answers"
    assert stat.S_IMODE(os.stat(endpoint.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(engine.paths.runtime).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(engine.paths.home).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(engine.paths.log).st_mode) == 0o600

    other = EmbeddedEngine(_paths(place))
    assert await other.start() == endpoint
    assert (await other.status()).pid == status.pid

    await other.stop()
    assert (await engine.status()).state == "stopped"
    assert not _ours(place)
    assert str(place) not in Path("/proc/self/mounts").read_text()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{Path(engine.paths.home).name}"))


@pytest.mark.asyncio
async def test_two_starts_at_once_make_one_engine(place: Path) -> None:
    both = [EmbeddedEngine(_paths(place)) for _ in range(2)]
    await asyncio.gather(*(one.start() for one in both))
    first, second = [(await one.status()).pid for one in both]
    assert first == second > 0
    await both[0].stop()


@pytest.mark.asyncio
async def test_a_killed_program_leaves_an_engine_to_adopt(engine: EmbeddedEngine, place: Path) -> None:
    code = (
        "import asyncio, os, signal, sys\nfrom pathlib import Path\n"
        "from backend.embedded import EmbeddedEngine, EmbeddedPaths\n"
        "asyncio.run(EmbeddedEngine(EmbeddedPaths(Path(sys.argv[1]), Path(sys.argv[2]))).start())\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    words = [sys.executable, "-c", code, str(engine.paths.home), str(engine.paths.runtime)]
    done = await asyncio.to_thread(subprocess.run, words, cwd=ROOT, timeout=90)
    assert done.returncode == -signal.SIGKILL
    status = await engine.status()
    assert status.running
    await engine.start()
    assert (await engine.status()).pid == status.pid
    await engine.stop()


@pytest.mark.asyncio
@pytest.mark.parametrize("answers", [False, True], ids=["while it starts", "once it answers"])
async def test_a_program_killed_while_it_starts_does_not_block_the_next_start(
    engine: EmbeddedEngine, answers: bool
) -> None:
    code = (
        "import asyncio, os, signal, sys\nfrom pathlib import Path\n"
        "from backend.embedded import EmbeddedEngine, EmbeddedPaths\n"
        "def said(words):\n    'Starting' in words and asyncio.get_running_loop().call_later(0.2, die)\n"
        "def die():\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(EmbeddedEngine(EmbeddedPaths(Path(sys.argv[1]), Path(sys.argv[2]))).start(said))\n"
    )
    words = [sys.executable, "-c", code, str(engine.paths.home), str(engine.paths.runtime)]
    await asyncio.to_thread(subprocess.run, words, cwd=ROOT, timeout=90)
    if answers:
        await asyncio.to_thread(wait_for, lambda: _answers(engine.paths.socket))
        assert stat.S_IMODE(os.stat(engine.paths.socket).st_mode) == 0o660
    await engine.start()
    assert stat.S_IMODE(os.stat(engine.paths.socket).st_mode) == 0o600
    assert (await engine.status()).running
    await engine.stop()


@pytest.mark.asyncio
async def test_a_killed_supervisor_takes_everything_along(engine: EmbeddedEngine, place: Path) -> None:
    await engine.start()
    assert len(_ours(place)) > 3
    os.kill((await engine.status()).pid, signal.SIGKILL)
    await asyncio.to_thread(wait_for, lambda: not _ours(place))
    assert (await engine.status()).state == "stopped"
    await engine.start()
    await engine.stop()


@pytest.mark.asyncio
async def test_containers_with_a_restart_policy_come_back(engine: EmbeddedEngine, docker_cli: DockerCli) -> None:
    await engine.start()
    host = f"unix://{engine.paths.socket}"
    await asyncio.to_thread(_load_busybox, docker_cli, host)
    for name, policy in (("back", "always"), ("gone", "no")):
        words = (
            "run",
            "-d",
            "--name",
            name,
            "--restart",
            policy,
            images.BUSYBOX,
            "sh",
            "-c",
            "trap exit TERM; sleep 999 & wait",
        )
        await asyncio.to_thread(docker_cli, *words, host=host)
    await engine.stop()
    await engine.start()
    running = await asyncio.to_thread(docker_cli, "ps", "--format", "{{.Names}}", host=host)
    assert running.split() == ["back"]
    await engine.stop()


@pytest.mark.asyncio
async def test_a_stranger_with_the_number_in_the_state_file_is_left_alone(engine: EmbeddedEngine) -> None:
    stranger = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        engine.paths.make()
        for started, boot in ((identity.start_time(stranger.pid) + 1, identity.boot_id()), (1, "another boot")):
            told = {"supervisor": stranger.pid, "started": started, "boot": boot, "kind": "dockerd"}
            engine.paths.state.write_text(json.dumps(told))
            assert (await engine.status()).state == "stopped"
            await engine.stop()
        await engine.start()
        await engine.stop()
        assert stranger.returncode is None
        assert identity.start_time(stranger.pid) > 0
    finally:
        stranger.kill()
        await stranger.wait()


@pytest.mark.asyncio
async def test_a_start_that_fails_says_why_and_leaves_nothing(engine: EmbeddedEngine, place: Path) -> None:
    engine.paths.make()
    engine.paths.data_root.write_text("a file where a folder should be")
    with pytest.raises(EngineStartFailed) as caught:
        await engine.start()
    assert any("docker" in line for line in caught.value.log)
    assert not _ours(place)


@pytest.mark.asyncio
async def test_a_deadline_and_a_cancelled_start_leave_nothing(engine: EmbeddedEngine, place: Path) -> None:
    with pytest.raises(EngineStartFailed):
        await engine.start(deadline=0.1)
    await asyncio.to_thread(wait_for, lambda: not _ours(place))

    def give_up(said: str) -> None:
        if said.startswith("Starting"):
            begun.cancel()

    begun = asyncio.create_task(engine.start(give_up))
    with pytest.raises(asyncio.CancelledError):
        await begun
    await asyncio.to_thread(wait_for, lambda: not _ours(place))
    await engine.start()
    await engine.stop()


def test_another_engines_ports_and_rules_live_on(place: Path) -> None:
    tar = place / "busybox.tar"
    tar.write_bytes(images.busybox_tar())
    command = [
        "unshare",
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--propagation",
        "slave",
    ]
    done = subprocess.run(
        [*command, sys.executable, "-m", "tests.e2e.neighbours", str(place), str(tar)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    drop_cgroups("pilothouse-neighbour")
    assert done.returncode == 0, done.stderr + (place / "first.log").read_text()[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert [told[when] for when in ("before", "during", "after", "after the refusal")] == ["first"] * 4
    assert told["ours"] == "ours"
    assert told["rules kept"]
    assert len(set(told["addresses"])) == 2
    assert "address already in use" in told["taken"]
    assert "dockerd (process" in told["refused"]


def _paths(place: Path) -> EmbeddedPaths:
    return EmbeddedPaths(place / "home", place / "run")


def _ours(place: Path) -> list[int]:
    """Processes that were told this place in their arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.fsencode(place) in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _answers(where: Path) -> bool:
    """Asked by hand: whoever asks the EmbeddedEngine adopts what runs."""
    with socket.socket(socket.AF_UNIX) as asking:
        if asking.connect_ex(str(where)):
            return False
        asking.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
        return b" 200 " in asking.recv(100)


def _load_busybox(docker_cli: DockerCli, host: str) -> None:
    docker_cli("import", "-", images.BUSYBOX, stdin=images.busybox_tar(), host=host)
