"""The context tar: what goes in, in which order, and what is refused."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from pathlib import Path

import pytest

from backend import build_context
from backend.errors import ContextUnusable, DockerfileMissing
from backend.types.builds import ContextSent


def listing(context: build_context.Context) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(build_context.pieces(context)))) as tar:
        return {m.name: m for m in tar.getmembers()}


def made(folder: Path, files: dict[str, str]) -> build_context.Context:
    for name, text in {"Dockerfile": "FROM scratch\n", **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return build_context.prepare(folder, folder / "Dockerfile")


@pytest.mark.parametrize(
    ("ignore", "names"),
    [
        ("*.log\n", {"a.txt", "sub", "sub/b.log", "sub/deep", "sub/deep/c.txt"}),
        ("**/*.log\n", {"a.txt", "sub", "sub/deep", "sub/deep/c.txt"}),
        ("sub\n", {"a.txt", "x.log"}),
        ("sub\n!sub/deep/c.txt\n", {"a.txt", "x.log", "sub/deep/c.txt"}),
        ("*\n!a.txt\n", {"a.txt"}),
        ("*\n!**/c.txt\n", set()),
        ("*\n!sub/*/c.txt\n", set()),
        ("**/*.log\nsub/deep\n!sub/deep/c.txt\n", {"a.txt", "sub", "sub/deep/c.txt"}),
        ("# sub\n/a.txt\n", {"x.log", "sub", "sub/b.log", "sub/deep", "sub/deep/c.txt"}),
        ("Dockerfile\n.dockerignore\n*.txt\n", {"x.log", "sub", "sub/b.log", "sub/deep", "sub/deep/c.txt"}),
    ],
)
def test_ignore_rules(tmp_path: Path, ignore: str, names: set[str]) -> None:
    files = {"a.txt": "a", "x.log": "x", "sub/b.log": "b", "sub/deep/c.txt": "c", ".dockerignore": ignore}
    assert set(listing(made(tmp_path, files))) == names | {"Dockerfile", ".dockerignore"}


def test_ignore_file_of_one_dockerfile_goes_first(tmp_path: Path) -> None:
    context = made(tmp_path, {"a": "", "b": "", ".dockerignore": "a\n", "Dockerfile.dockerignore": "b\n"})
    assert {"a", "b"} & set(listing(context)) == {"a"}


def test_links_and_odd_things(tmp_path: Path) -> None:
    context = made(tmp_path, {"sub/file": "x"})
    (tmp_path / "sub/loop").symlink_to("..")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    os.link(tmp_path / "sub/file", tmp_path / "sub/same")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        found = listing(context)
    assert set(found) == {"Dockerfile", "dangling", "pipe", "sub", "sub/file", "sub/loop", "sub/same"}
    assert found["sub/loop"].issym()
    assert found["pipe"].isfifo()
    assert found["sub/same"].islnk()
    assert {(m.uid, m.gid) for m in found.values()} == {(0, 0)}


def test_dockerfile_outside_is_kept_out_of_the_image(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a").write_text("a")
    (tmp_path / "other").write_text("FROM scratch\n")
    context = build_context.prepare(tmp_path / "in", tmp_path / "other")
    assert set(listing(context)) == {"a", context.dockerfile, ".dockerignore"}
    assert context.dockerfile in context.extra[".dockerignore"].decode()


def test_a_file_that_grows_keeps_its_first_size_and_one_that_shrinks_is_named(tmp_path: Path) -> None:
    context = made(tmp_path, {"big": "x" * (3 * build_context.PIECE)})
    source = build_context.pieces(context)
    next(source)
    with (tmp_path / "big").open("a") as file:
        file.write("more")
    assert sum(map(len, source)) > 0
    source = build_context.pieces(context)
    next(source)
    os.truncate(tmp_path / "big", 5)
    with pytest.raises(ContextUnusable, match="became shorter"):
        list(source)


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContextUnusable):
        build_context.prepare(tmp_path / "none", tmp_path / "none/Dockerfile")
    with pytest.raises(DockerfileMissing):
        build_context.prepare(tmp_path, tmp_path / "Dockerfile")
    with pytest.raises(DockerfileMissing):
        build_context.prepare(tmp_path, tmp_path / ("x" * 300))
    with pytest.raises(ContextUnusable, match="pattern"):
        made(tmp_path, {".dockerignore": "[\n"})


def test_names_that_are_not_text_and_long_ones(tmp_path: Path) -> None:
    context = made(tmp_path, {"x" * 200: "", "ü": ""})
    (tmp_path / os.fsdecode(b"\xff")).write_text("")
    assert len(listing(context)) == 4


@pytest.mark.asyncio
async def test_stream_tells_how_much(tmp_path: Path) -> None:
    context = made(tmp_path, {"big": "x" * 2_500_000})
    told: list[ContextSent] = []
    size = 0
    async for piece in build_context.stream(context, told.append):
        assert len(piece) <= 2 * build_context.PIECE
        size += len(piece)
    assert size % 512 == 0
    assert (told[-1].sent, told[-1].total) == (2_500_013, 2_500_013)
    assert told[-1].files == told[-1].total_files == 2
