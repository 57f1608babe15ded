"""The parts of the embedded engine that need no engine: who is who, what was written, plans, the log, requirements."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from backend.embedded import EmbeddedEngine, EmbeddedPaths, dockerd, identity, requirements, rootless, state
from backend.embedded.supervisor import Log
from backend.errors import EngineStartFailed


def _paths(tmp_path: Path) -> EmbeddedPaths:
    paths = EmbeddedPaths(tmp_path / "home", tmp_path / "run")
    paths.home.mkdir()
    paths.runtime.mkdir()
    return paths


def test_a_process_is_told_by_more_than_its_number() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        who = identity.of(process.pid)
        assert identity.alive(who)
        for other in (who._replace(started=who.started + 1), who._replace(boot="x"), who._replace(pid=1)):
            assert not identity.alive(other)
            assert not identity.send(other, signal.SIGKILL)
        assert process.poll() is None
        assert identity.send(who, signal.SIGKILL)
        process.wait()
        assert not identity.alive(who)
        assert not identity.send(who, signal.SIGKILL)


def test_a_zombie_does_not_live() -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert identity.start_time(process.pid) == 0
    process.wait()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"supervisor": 1}',
        b'{"supervisor": "x", "started": 1, "boot": ""}',
        b"[" * 9000,
    ],
)
def test_a_broken_state_file_tells_nothing(tmp_path: Path, text: bytes) -> None:
    paths = _paths(tmp_path)
    paths.state.write_bytes(text)
    assert state.held(paths) is None


def test_a_state_file_of_this_process_is_believed(tmp_path: Path) -> None:
    paths = _paths(tmp_path)
    who = identity.of(os.getpid())
    paths.state.write_text(
        json.dumps({"supervisor": who.pid, "started": who.started, "boot": who.boot, "kind": "podman"})
    )
    assert state.held(paths) == state.Held(who, "podman")


def test_the_lock_is_seen_and_not_taken(tmp_path: Path) -> None:
    paths = _paths(tmp_path)
    assert not state.locked(paths)
    with paths.lock.open("w") as lock:
        assert not state.locked(paths)
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert state.locked(paths)
    assert not state.locked(paths)


def test_a_socket_path_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineStartFailed, match="107 bytes"):
        EmbeddedPaths(tmp_path, tmp_path / ("x" * 120)).make()
    assert not (tmp_path / ("x" * 120)).exists()


def test_folders_are_for_one_person(tmp_path: Path) -> None:
    paths = EmbeddedPaths.below(tmp_path / "d", tmp_path / "r")
    paths.make()
    assert {path.stat().st_mode & 0o777 for path in (paths.home, paths.runtime)} == {0o700}


def test_the_log_stays_bounded(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "log"), 1000)
    for number in range(200):
        log.write(b"line %03d of the engine\n" % number)
    log.file.close()
    kept = (tmp_path / "log.1").read_bytes() + (tmp_path / "log").read_bytes()
    assert kept.endswith(b"line 199 of the engine\n")
    assert 1000 <= len(kept) <= 2000
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_the_engine_is_not_led_to_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere.sock")
    monkeypatch.setenv("PATH", "/opt/bin")
    paths = _paths(tmp_path)
    made = dockerd.plan(paths, {"dockerd": "/usr/sbin/dockerd", "slirp4netns": "/usr/bin/slirp4netns"}, {})
    assert "DOCKER_HOST" in made["without"]
    assert made["environment"]["PATH"].startswith("/opt/bin:")
    assert made["command"][0] == "/usr/sbin/dockerd"
    assert f"--host=unix://{paths.socket}" in made["command"]
    dockerd.write_files(paths, made)
    assert json.loads(paths.plan.read_text())["command"] == made["command"]
    assert paths.port_proxy.stat().st_mode & 0o777 == 0o700


def test_variables_of_ours_are_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_TOKEN", "canary-4Yb8")
    paths = _paths(tmp_path)
    programs = {name: f"/usr/bin/{name}" for name in (*requirements.ROOTLESS_PROGRAMS, "podman")}
    for made in (
        dockerd.plan(paths, programs, {}),
        dockerd.host_plan(paths, programs, {}),
        rootless.rootlesskit_plan(paths, programs, {}),
        rootless.podman_plan(paths, programs, {}),
    ):
        dockerd.write_files(paths, made)
        for path in (path for path in tmp_path.rglob("*") if path.is_file()):
            assert b"canary-4Yb8" not in path.read_bytes(), path


def test_a_rootless_engine_touches_no_control_group(tmp_path: Path) -> None:
    programs = {name: f"/usr/bin/{name}" for name in (*requirements.ROOTLESS_PROGRAMS, "podman")}
    made = rootless.rootlesskit_plan(_paths(tmp_path), programs, {})
    assert made["command"][0] == "/usr/bin/rootlesskit"
    assert not [word for word in made["command"] if "cgroup" in word]
    assert "HOME" in made["environment"]


@pytest.mark.parametrize(
    ("release", "number"),
    [
        ('PRETTY_NAME="Debian"\nID=debian\n', 0),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', 0),
        ("ID=fedora\n", 1),
        ("ID=manjaro\nID_LIKE=arch\n", 2),
        ('ID="rhel"\nID_LIKE="fedora"\n', None),
        ("nothing of that", None),
        ("", None),
    ],
)
def test_missing_programs_come_with_the_command_of_this_system_or_of_all(
    monkeypatch: pytest.MonkeyPatch, release: str, number: int | None
) -> None:
    monkeypatch.setattr(requirements, "_read", {"/etc/os-release": release}.__getitem__)
    missing, present = requirements.program_requirements(("no-such-program", "sh"))
    assert (missing.ok, present.ok) == (False, True)
    assert missing.words == "no-such-program is not installed"
    if number is None:
        assert [system for system, _ in missing.steps] == ["Debian, Ubuntu", "Fedora", "Arch Linux"]
    else:
        assert missing.steps == (("", requirements.INSTALL[number][1]),), "what is copied is typed as it is"


def test_the_steps_install_what_setting_up_a_computer_does() -> None:
    script = (Path(__file__).parents[2] / "packaging" / "setup.sh").read_text(encoding="utf-8")
    of_an_engine = script.partition("find_engine() {")[2].partition("\n}")[0]
    wanted = re.findall(r'\|\| need "[^"]+" (\S+) (\S+) (\S+)$', of_an_engine, re.MULTILINE)
    assert ("fuse-overlayfs",) * 3 in wanted
    for number, (system, command) in enumerate(requirements.INSTALL):
        assert {packages[number] for packages in wanted} == set(command.split()[3:]), system


@pytest.mark.parametrize("goal", ["run", "test", "quick", "venv"])
def test_setting_up_needs_no_variable_of_the_environment(tmp_path: Path, goal: str) -> None:
    for name in ("uname", "dirname", "id", "grep", "sort"):  # No program of packages, so that nothing is installed.
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    script = Path(__file__).parents[2] / "packaging" / "setup.sh"
    said = [str(shutil.which("bash")), str(script), goal]
    done = subprocess.run(said, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert "unbound" not in done.stderr
    assert done.returncode == 0 or "package program is not known here" in done.stderr


def test_check_names_every_requirement(tmp_path: Path) -> None:
    found = EmbeddedEngine(tmp_path).check()
    assert {"dockerd", "slirp4netns"} <= {one.name for one in found} or "podman" in {one.name for one in found}
    assert all(one.words for one in found)


@pytest.mark.asyncio
async def test_stopping_nothing_is_nothing(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path)
    await engine.stop()
    assert (await engine.status()).state == "stopped"


@pytest.mark.asyncio
async def test_something_at_the_socket_that_is_no_engine_does_not_count(tmp_path: Path) -> None:
    paths = _paths(tmp_path)
    who = identity.of(os.getpid())
    paths.state.write_text(json.dumps({"supervisor": who.pid, "started": who.started, "boot": who.boot}))

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 no\r\n\r\n")
        writer.close()

    server = await asyncio.start_unix_server(rude, str(paths.socket))
    async with server:
        assert (await EmbeddedEngine(paths).status()).state == "starting"


@asynccontextmanager
async def _running(paths: EmbeddedPaths, kind: str) -> AsyncIterator[EmbeddedEngine]:
    """An engine that answers, as one whose start was killed leaves it: its socket open to a group."""
    who = identity.of(os.getpid())
    paths.state.write_text(json.dumps({"supervisor": who.pid, "started": who.started, "boot": who.boot, "kind": kind}))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        writer.close()

    async with await asyncio.start_unix_server(answer, str(paths.socket)):
        paths.socket.chmod(0o660)
        yield EmbeddedEngine(paths)


@pytest.mark.asyncio
@pytest.mark.parametrize("adopted", [EmbeddedEngine.status, EmbeddedEngine.start], ids=["seen", "started"])
async def test_an_engine_whose_start_was_killed_is_closed_to_others(
    tmp_path: Path, adopted: Callable[[EmbeddedEngine], Awaitable[object]]
) -> None:
    paths = _paths(tmp_path)
    async with _running(paths, "dockerd") as engine:
        await adopted(engine)
        assert paths.socket.stat().st_mode & 0o777 == 0o600
        assert (await engine.status()).running


@pytest.mark.asyncio
async def test_containers_of_podman_come_back_once_for_each_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, called = _paths(tmp_path), tmp_path / "called"
    podman = tmp_path / "podman"
    podman.write_text(f'#!/bin/sh\necho "$*" >> {called}\n')
    podman.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    async with _running(paths, "podman") as engine:
        for _ in range(2):
            await engine.start()
            (words,) = called.read_text().splitlines()
            assert words.endswith("start --all --filter restart-policy=always")
        assert paths.revived.stat().st_mode & 0o777 == 0o600
        paths.revived.write_text("that of another engine\n")
        await engine.status()
        assert len(called.read_text().splitlines()) == 2
