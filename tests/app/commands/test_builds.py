"""The docker command line that is equal to a build, and its output as a file."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from app.commands.builds import SAVE_OUTPUT, OutputFile, line
from backend.saving import NotSaved
from backend.types.builds import Builder, BuildRequest


def test_line() -> None:
    request = BuildRequest(
        Path("/a b"), Path("x/D"), "t:1", (("K", "secret"),), "final", "linux/amd64", no_cache=True, pull=True
    )
    assert "secret" not in line(request).shown
    assert line(request).argv == [
        "docker", "build", "--file", "/a b/x/D", "--tag", "t:1", "--target", "final", "--platform", "linux/amd64",
        "--build-arg", "K=secret", "--no-cache", "--pull", "/a b",
    ]  # fmt: skip


def test_the_line_names_the_builder() -> None:
    classic = line(BuildRequest(Path("/a b"), builder=Builder.CLASSIC))
    assert classic.copied == classic.shown == "DOCKER_BUILDKIT=0 docker build '/a b'"
    buildkit = line(BuildRequest(Path("/a b"), tag="t:1", builder=Builder.BUILDKIT))
    assert buildkit.copied == "docker buildx build --load --tag t:1 '/a b'"


async def _save(path: Path) -> None:
    nobody: Any = None  # Neither the engine nor the operation is asked.
    await SAVE_OUTPUT.run(nobody, OutputFile("t:1", "#1 done\n", path), nobody)


@pytest.mark.asyncio
async def test_the_output_is_saved_where_it_can_be_and_replaces_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    await _save(tmp_path / "kept" / "build.log")
    assert (tmp_path / "kept" / "build.log").read_text() == "#1 done\n"
    with pytest.raises(NotSaved) as refused:
        await _save(tmp_path / "none" / "build.log")
    assert (refused.value.errno, refused.value.filename) == (errno.ENOENT, str(tmp_path / "none"))
    os.mkfifo(tmp_path / "kept" / "pipe")
    with pytest.raises(FileExistsError):
        await _save(tmp_path / "kept" / "pipe")
    assert sorted(os.listdir(tmp_path / "kept")) == ["build.log", "pipe"]
