"""What both builders say becomes the same events."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from backend import buildkit, dockerfiles
from backend.build_classic import ClassicReader, Message
from backend.build_progress import BuildKitReader
from backend.endpoint import UnixSocket
from backend.errors import BuildFailed
from backend.types.builds import Builder, BuildEvent, BuildRequest, StepChanged, StepOutput, StepState

TEXT = "FROM a AS one\nRUN x\nFROM one\nENV A=b\nRUN false\n"


def last_states(events: list[BuildEvent]) -> dict[int, StepState]:
    return {e.step.line: e.step.state for e in events if isinstance(e, StepChanged) and e.step.number}


def classic(messages: list[Message]) -> tuple[ClassicReader, list[BuildEvent]]:
    events: list[BuildEvent] = []
    reader = ClassicReader(dockerfiles.plan(dockerfiles.parse(TEXT), Builder.CLASSIC), events.append, lambda: 1.0)
    for message in messages:
        reader.feed(message)
    return reader, events


def test_classic_error_has_the_line_of_its_step() -> None:
    events: list[BuildEvent] = []
    reader = ClassicReader(dockerfiles.plan(dockerfiles.parse(TEXT), Builder.CLASSIC), events.append, lambda: 1.0)
    reader.feed(Message(stream="Step 1/5 : FROM a AS one\n ---> 1\nStep 2/5 : RUN x\n ---> Using"))
    reader.feed(Message(stream=" cache\nStep 5/5 : RUN false\n"))
    reader.feed(Message(error="The command '/bin/sh -c false' returned a non-zero code: 1"))
    with pytest.raises(BuildFailed) as caught:
        reader.finish()
    assert (caught.value.line, caught.value.code) == (5, 1)
    assert last_states(events) == {1: StepState.DONE, 2: StepState.CACHED, 5: StepState.FAILED}


def test_classic_stream_that_ends_early_is_a_failure() -> None:
    reader, _ = classic([Message(stream="Step 1/5 : FROM a\n")])
    with pytest.raises(BuildFailed):
        reader.finish()


def test_thousands_of_digits_where_a_number_belongs_are_a_text() -> None:
    """Python refuses to make a number of them; whatever a build runs may print them."""
    many = "9" * 5000
    reader, events = classic([Message(stream=f"Step 5/5 : RUN false\nStep {many}/{many} : x\n")])
    assert StepOutput("line 5", f"Step {many}/{many} : x\n") in events
    reader.feed(Message(error=f"parse error on line {many}: returned a non-zero code: {many}"))
    with pytest.raises(BuildFailed) as caught:
        reader.finish()
    assert caught.value.line == 5
    other, _ = buildkit_reader()
    for line in (f"#5 [one {many}/{many}] FROM a", f"Dockerfile:{many}", f"ERROR: exit code: {many}"):
        other.line(line.encode())
    buildkit._failure(other, 1)


def test_classic_success() -> None:
    reader, events = classic([Message(stream="Step 1/5 : FROM a\nhello\n"), Message(aux={"ID": "sha256:1"})])
    assert reader.finish() == "sha256:1"
    assert StepOutput("line 1", "hello\n") in events


def buildkit_reader() -> tuple[BuildKitReader, list[BuildEvent]]:
    events: list[BuildEvent] = []
    return BuildKitReader(dockerfiles.plan(dockerfiles.parse(TEXT), Builder.BUILDKIT), events.append), events


@pytest.mark.parametrize("indent", [None, 2])
def test_rawjson(indent: int | None) -> None:
    reader, events = buildkit_reader()
    started = "2026-01-01T00:00:00.123456789Z"
    vertexes = [
        {"digest": "d0", "name": "[internal] load build definition", "started": started, "completed": started},
        {"digest": "d1", "name": "[one 1/2] FROM a", "started": started, "completed": started, "cached": True},
        {"digest": "d2", "name": "[stage-1 1/1] RUN false", "started": started, "error": "exit code: 3"},
    ]
    for line in json.dumps({"vertexes": vertexes}, indent=indent).splitlines():
        reader.line(line.encode())
    reader.line(json.dumps({"logs": [{"vertex": "d2", "data": base64.b64encode(b"oh\n").decode()}]}).encode())
    reader.line(b"ERROR: failed to solve: process did not complete: exit code: 3")
    assert last_states(events) == {1: StepState.CACHED, 5: StepState.FAILED}
    assert StepOutput("line 5", "oh\n") in events
    failure = buildkit._failure(reader, 1)
    assert (failure.line, failure.code) == (5, 3)


def test_bytes_of_a_context_count_before_its_size_is_known() -> None:
    reader, events = buildkit_reader()
    vertex = {"digest": "c", "name": "[internal] load build context", "started": "2026-01-01T00:00:00Z"}
    reader.line(json.dumps({"vertexes": [vertex]}).encode())
    reader.line(json.dumps({"statuses": [{"id": "transferring context:", "vertex": "c", "current": 12}]}).encode())
    last = events[-1]
    assert isinstance(last, StepChanged)
    assert (last.step.done, last.step.total) == (12, 0)


@pytest.mark.parametrize(
    ("dockerfile", "image", "line"),
    [
        ("FROM a\n", "docker.io/library/a:latest", 1),
        ("FROM alpine AS a\nRUN x\nFROM myalpine\n", "docker.io/library/myalpine:latest", 3),
        ("FROM alpine\nCOPY --from=nosuch:1 /a /b\n", "docker.io/library/nosuch:1", 0),
        ("FROM a AS x\nFROM --platform=linux/arm64 host:5000/b:2 AS y\n", "host:5000/b:2", 2),
        ("ARG V=1\nFROM c:$V\n", "docker.io/library/c:1", 2),
        ("ARG V=1\nFROM a AS x\nFROM c:$V\nCOPY --from=x /a /b\n", "docker.io/library/c:1", 0),
    ],
)
def test_a_base_image_that_is_not_there_is_said_at_its_from(dockerfile: str, image: str, line: int) -> None:
    reader = BuildKitReader(dockerfiles.plan(dockerfiles.parse(dockerfile), Builder.BUILDKIT), lambda _e: None)
    name = f"[internal] load metadata for {image}"
    reader.line(json.dumps({"vertexes": [{"digest": "m", "name": name, "error": f"{image}: not found"}]}).encode())
    head = (
        "rpc error: code = Unknown desc = failed to solve with frontend dockerfile.v0: failed to create LLB definition"
    )
    reader.line(f"ERROR: failed to solve: {head}: {image}: not found".encode())
    failure = buildkit._failure(reader, 1)
    assert (failure.line, failure.message) == (line, f"{image}: not found")


def test_plain_progress() -> None:
    reader, events = buildkit_reader()
    for line in (
        b"#5 [one 1/2] FROM a",
        b"#5 CACHED",
        b"",
        b"#6 [stage-1 1/1] RUN false",
        b"#6 0.123 oh",
        b"#6 ERROR: e",
    ):
        reader.line(line)
    assert last_states(events) == {1: StepState.CACHED, 5: StepState.FAILED}
    assert StepOutput("line 5", "oh\n") in events


def test_values_of_build_arguments_are_not_in_the_process_list(tmp_path: Path) -> None:
    request = BuildRequest(tmp_path, tag="a:b", build_args=(("TOKEN", "canary"), ("PATH", "/x")))
    program = buildkit.Buildx("/x/docker-buildx", (0, 13))
    words = buildkit.arguments(program, request, "/tmp/i")
    env = buildkit.environment(request, UnixSocket("/run/x.sock"), "", {"PATH": "/bin", "DOCKER_CONTEXT": "other"})
    assert "canary" not in " ".join(words)
    assert env == {"PATH": "/bin", "DOCKER_HOST": "unix:///run/x.sock", "TOKEN": "canary"}
    assert words[-2:] == ["--", str(tmp_path)]


def test_finding_buildx(tmp_path: Path) -> None:
    plugin = tmp_path / "cli-plugins" / "docker-buildx"
    plugin.parent.mkdir()
    plugin.write_text("#!/bin/sh\n")
    plugin.chmod(0o755)
    assert buildkit.find({"DOCKER_CONFIG": str(tmp_path), "PATH": ""}) == str(plugin)
