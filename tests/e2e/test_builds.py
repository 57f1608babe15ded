"""Builds with a real engine: both builders, failures at their line, cancelling, a big context in little memory."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from backend import builds, images
from backend.client import Engine
from backend.endpoint import UnixSocket
from backend.errors import BuildFailed
from backend.types.builds import Builder, BuildEvent, BuildRequest, StepChanged, StepOutput, StepState

pytestmark = [pytest.mark.slow]
DockerCli = Callable[..., str]


@pytest.fixture(params=list(Builder), ids=lambda b: b.name.lower())
def builder(request: pytest.FixtureRequest, buildx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    plugins = tmp_path / "config" / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to(buildx)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    found: Builder = request.param
    return found


def folder(tmp_path: Path, dockerfile: str, **files: str) -> Path:
    context = tmp_path / "context"
    context.mkdir()
    for name, text in {"Dockerfile": dockerfile, **files}.items():
        (context / name).write_text(text)
    return context


async def run(host: UnixSocket, request: BuildRequest, events: list[BuildEvent]) -> str:
    engine = Engine(host)
    try:
        await engine.open()
        return await builds.build(engine, request, events.append)
    finally:
        await engine.close()


def states(events: list[BuildEvent]) -> dict[int, StepState]:
    return {e.step.line: e.step.state for e in events if isinstance(e, StepChanged) and e.step.number}


def output(events: list[BuildEvent]) -> str:
    return "".join(e.text for e in events if isinstance(e, StepOutput))


@pytest.mark.asyncio
async def test_builds_and_takes_from_cache(
    engine_host: UnixSocket, busybox_image: str, builder: Builder, tmp_path: Path, docker_cli: DockerCli
) -> None:
    text = f"FROM {busybox_image} AS one\nARG WORD\nCOPY . /in\nRUN echo said-$WORD && ls /in\nCMD true\n"
    context = folder(tmp_path, text, keep="k", drop="d")
    (context / ".dockerignore").write_text("drop\n")
    tag = f"pilothouse-test/built:{builder.name.lower()}"
    request = BuildRequest(context, tag=tag, build_args=(("WORD", "hello"),), builder=builder)
    events: list[BuildEvent] = []
    image = await run(engine_host, request, events)
    assert docker_cli("image", "inspect", "-f", "{{.Id}}", tag).strip().startswith(image[:19])
    assert "said-hello" in output(events)
    assert set(docker_cli("run", "--rm", tag, "ls", "-A", "/in").split()) >= {"keep"}
    assert "drop" not in docker_cli("run", "--rm", tag, "ls", "-A", "/in")
    again: list[BuildEvent] = []
    await run(engine_host, request, again)
    assert states(again)[3] is StepState.CACHED
    assert states(again)[4] is StepState.CACHED


@pytest.mark.asyncio
async def test_a_failing_step_has_its_line(
    engine_host: UnixSocket, busybox_image: str, builder: Builder, tmp_path: Path
) -> None:
    context = folder(tmp_path, f"FROM {busybox_image}\n\nENV A=b\nRUN true\nRUN echo oh && \\\n  exit 7\nRUN true\n")
    events: list[BuildEvent] = []
    with pytest.raises(BuildFailed) as caught:
        await run(engine_host, BuildRequest(context, tag="pilothouse-test/no:1", builder=builder), events)
    assert (caught.value.line, caught.value.code) == (5, 7)
    assert states(events)[5] is StepState.FAILED
    assert "oh" in output(events)


@pytest.mark.asyncio
async def test_cancel_stops_the_step_in_the_engine(
    engine_host: UnixSocket, busybox_image: str, builder: Builder, tmp_path: Path
) -> None:
    context = folder(tmp_path, f"FROM {busybox_image}\nRUN echo begun && sleep 98761\n")
    events: list[BuildEvent] = []
    request = BuildRequest(context, tag="pilothouse-test/no:2", no_cache=True, builder=builder)
    task = asyncio.create_task(run(engine_host, request, events))
    async with asyncio.timeout(60):
        while "begun" not in output(events):
            await asyncio.sleep(0.05)
    assert sleeping()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(20):
        while sleeping():
            await asyncio.sleep(0.1)


def sleeping() -> bool:
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().startswith(b"sleep\x0098761\0"):
                return True
        except OSError:
            continue
    return False


@pytest.mark.asyncio
async def test_a_big_context_needs_little_memory(engine_host: UnixSocket, busybox_image: str, tmp_path: Path) -> None:
    context = folder(tmp_path, f"FROM {busybox_image}\nCOPY Dockerfile /\n")
    with (context / "big").open("wb") as file:
        file.truncate(300_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    request = BuildRequest(context, tag="pilothouse-test/big:1", builder=Builder.CLASSIC)
    await run(engine_host, request, [])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000
    engine = Engine(engine_host)
    await engine.open()
    await images.remove(engine, "pilothouse-test/big:1")
    await engine.close()
