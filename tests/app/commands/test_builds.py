"""The docker command line that is equal to a build."""

from __future__ import annotations

from pathlib import Path

from app.commands.builds import line
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
