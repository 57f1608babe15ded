"""The docker command line that is equal to a build."""

from __future__ import annotations

from pathlib import Path

from app.commands.builds import line
from backend.types.builds import BuildRequest


def test_line() -> None:
    request = BuildRequest(
        Path("/a b"), Path("x/D"), "t:1", (("K", "secret"),), "final", "linux/amd64", no_cache=True, pull=True
    )
    assert "secret" not in line(request).shown
    assert line(request).argv == [
        "docker", "build", "--file", "/a b/x/D", "--tag", "t:1", "--target", "final", "--platform", "linux/amd64",
        "--build-arg", "K=secret", "--no-cache", "--pull", "/a b",
    ]  # fmt: skip
