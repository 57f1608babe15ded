"""BuildKit through a program that stands in for buildx: asking its version, a build, its failure and its end."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from backend import buildkit, dockerfiles
from backend.endpoint import Endpoint, Tcp, TlsFiles, UnixSocket
from backend.errors import BuilderMissing, BuildFailed
from backend.types.builds import Builder, BuildEvent, BuildRequest, ImageBuilt, StepChanged, StepOutput, StepState

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for the program"),
]
TEXT = "FROM a\nRUN false\n"
SOCKET = UnixSocket("/run/x.sock")
STARTED = "2026-01-01T00:00:00Z"


def program(folder: Path, script: str) -> buildkit.Buildx:
    path = folder / "docker-buildx"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return buildkit.Buildx(str(path), (0, 13))


async def built(
    folder: Path, script: str, events: list[BuildEvent], endpoint: Endpoint = SOCKET, **wanted: object
) -> str:
    (folder / "Dockerfile").write_text(TEXT)
    request = BuildRequest(folder, tag="a:1", **wanted)  # type: ignore[arg-type]
    plan = dockerfiles.plan(dockerfiles.parse(TEXT), Builder.BUILDKIT)
    return await buildkit.build(program(folder, script), endpoint, request, plan, events.append)


def said(*vertexes: Mapping[str, object]) -> str:
    return f"echo '{json.dumps({'vertexes': vertexes})}' >&2"


IMAGE = 'while [ "$1" != --iidfile ]; do shift; done; printf sha256:77 > "$2"'


@pytest.mark.parametrize(
    ("words", "version", "rawjson"),
    [
        ("github.com/docker/buildx v0.13.1 788433953a", (0, 13), True),
        ("github.com/docker/buildx 0.12.0+dfsg-1", (0, 12), False),
        ("something else", (0, 0), False),
        (f"buildx v{'9' * 5000}.1", (0, 0), False),
    ],
)
async def test_its_version_says_how_it_tells_progress(
    tmp_path: Path, words: str, version: tuple[int, int], rawjson: bool
) -> None:
    found = await buildkit.probe(program(tmp_path, f"echo '{words}'").path)
    assert (found.version, found.rawjson) == (version, rawjson)


async def test_one_that_does_not_run_or_answer_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BuilderMissing, match="No such file"):
        await buildkit.probe(str(tmp_path / "nothing"))
    silent = program(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 600")
    with pytest.raises(BuilderMissing, match="does not answer"):
        await buildkit.probe(silent.path, deadline=1)
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


async def test_a_build_gives_its_steps_and_the_image(tmp_path: Path) -> None:
    events: list[BuildEvent] = []
    step = {"digest": "d1", "name": "[1/2] FROM a", "started": STARTED, "completed": STARTED, "cached": True}
    script = f'{said(step)}; echo "$DOCKER_HOST $TOKEN" > {tmp_path}/env; echo "$*" > {tmp_path}/args; {IMAGE}'
    assert await built(tmp_path, script, events, build_args=(("TOKEN", "canary"),)) == "sha256:77"
    assert events[-1] == ImageBuilt("sha256:77")
    states = {e.step.line: e.step.state for e in events if isinstance(e, StepChanged) and e.step.number}
    assert states == {1: StepState.CACHED}
    assert (tmp_path / "env").read_text() == "unix:///run/x.sock canary\n"
    assert "canary" not in (tmp_path / "args").read_text()


async def test_a_failure_names_its_line_and_its_code(tmp_path: Path) -> None:
    failed = {"digest": "d2", "name": "[2/2] RUN false", "started": STARTED, "error": "exit code: 3"}
    with pytest.raises(BuildFailed) as told:
        await built(tmp_path, f"{said(failed)}; echo 'ERROR: failed to solve: exit code: 3' >&2; exit 1", [])
    assert (told.value.line, told.value.code) == (2, 3)


async def test_one_that_fails_without_a_word_is_told(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="buildx ended with 9"):
        await built(tmp_path, "exit 9", [])


async def test_garbage_and_a_line_without_end_are_read_past(tmp_path: Path) -> None:
    events: list[BuildEvent] = []
    long = buildkit.LINE_LIMIT + 100_000
    noise = rf"printf '\377\376 {{\n[1,2\n\n' >&2; head -c {long} /dev/zero | tr '\0' x >&2; echo >&2"
    step = said({"digest": "d1", "name": "[1/2] FROM a", "started": STARTED, "completed": STARTED, "cached": True})
    assert await built(tmp_path, f"{noise}; {step}; {IMAGE}; printf 'no end' >&2", events) == "sha256:77"
    assert StepState.CACHED in [e.step.state for e in events if isinstance(e, StepChanged)]
    assert not [e for e in events if isinstance(e, StepOutput) and len(e.text) > long]


async def test_a_cancelled_build_leaves_no_program(tmp_path: Path) -> None:
    """Neither itself nor what it started, also where it does not want to end."""
    script = f"trap '' TERM; sleep 600 & echo $$ $! > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pids; wait; wait"
    building = asyncio.create_task(built(tmp_path, script, []))
    while not (tmp_path / "pids").exists():
        await asyncio.sleep(0.02)
    building.cancel()
    await asyncio.sleep(0.1)
    building.cancel()  # quitting is in a hurry
    with pytest.raises(asyncio.CancelledError):
        await building
    for pid in (tmp_path / "pids").read_text().split():
        while lives(int(pid)):
            await asyncio.sleep(0.02)


async def test_one_that_is_cancelled_while_it_starts_leaves_no_program(tmp_path: Path) -> None:
    script = f"sleep 600 & sleep 600 & echo $$ $! > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pids; wait"
    building = asyncio.create_task(built(tmp_path, script, []))
    for _ in range(3):  # The program is born, and nobody of this loop was told yet.
        await asyncio.sleep(0)
    for _ in range(500):
        if (tmp_path / "pids").exists():
            break
        time.sleep(0.02)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    for pid in (tmp_path / "pids").read_text().split():
        while lives(int(pid)):
            await asyncio.sleep(0.02)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_tls_files_have_the_names_that_docker_expects(tmp_path: Path) -> None:
    for name in ("mine.ca", "mine.cert", "mine.key"):
        (tmp_path / name).write_text(name)
    files = TlsFiles(str(tmp_path / "mine.ca"), str(tmp_path / "mine.cert"), str(tmp_path / "mine.key"), verify=True)
    script = f'cd "$DOCKER_CERT_PATH" && cat ca.pem cert.pem key.pem > {tmp_path}/seen; '
    script += f'echo " $DOCKER_HOST $DOCKER_TLS $DOCKER_TLS_VERIFY" >> {tmp_path}/seen'
    await built(tmp_path, f"{script}; {IMAGE}", [], Tcp("h", 2376, files))
    assert (tmp_path / "seen").read_text() == "mine.camine.certmine.key tcp://h:2376 1 1\n"


async def test_it_is_found_where_docker_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buildkit, "PLUGIN_FOLDERS", ())
    extra, plugins, path = tmp_path / "extra", tmp_path / "config" / "cli-plugins", tmp_path / "bin"
    places = [extra, plugins, path]
    for place in places:
        place.mkdir(parents=True)
        program(place, "exit 0")
    config = tmp_path / "config" / "config.json"
    config.write_text(json.dumps({"cliPluginsExtraDirs": [str(extra), 5]}))
    asked = {"DOCKER_CONFIG": str(config.parent), "PATH": str(path)}
    for place in places:
        assert buildkit.find(asked) == str(place / "docker-buildx")
        (place / "docker-buildx").chmod(0o600)
    assert buildkit.find(asked) == ""
    for broken in ("{", "[]", '{"cliPluginsExtraDirs": 5}'):
        config.write_text(broken)
        assert buildkit.find(asked) == ""
