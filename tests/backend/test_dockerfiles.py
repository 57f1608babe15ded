"""Dockerfiles: problems with their lines, stages and planned steps."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import dockerfiles
from backend.errors import DockerfileInvalid, DockerfileMissing
from backend.types.builds import Builder

TEXT = """\
ARG V=1
FROM a AS one
RUN x \\
  y
FROM b AS unused
RUN nothing
FROM one
ENV A=b
COPY --from=one /x /y
"""


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 0, "no instructions"),
        ("# only this\n", 0, "no instructions"),
        ("FROM a\nFORM b\n", 2, "Did you mean FROM"),
        ("FROM a\nCOPY --form=x a b\n", 2, "Did you mean --from"),
        ("FROM a\nCOPY a\n", 2, "source and a destination"),
        ("RUN x\n", 1, "first instruction"),
        ("FROM\n", 1, "FROM needs an image"),
        ("FROM a b\n", 1, "FROM needs an image"),
        ("FROM a\nRUN <<E\nx\n", 2, "nterminated"),
    ],
)
def test_problem_and_line(text: str, line: int, words: str) -> None:
    with pytest.raises(DockerfileInvalid, match=words) as caught:
        dockerfiles.parse(text)
    assert caught.value.line == line


def test_what_needs_buildkit_is_said() -> None:
    text = "FROM a\nRUN --mount=type=cache,target=/x y\n"
    dockerfiles.parse(text, Builder.BUILDKIT)
    with pytest.raises(DockerfileInvalid, match="BuildKit"):
        dockerfiles.parse(text, Builder.CLASSIC)


def test_plan_of_both_builders() -> None:
    file = dockerfiles.parse(TEXT)
    assert [(s.number, s.line) for s in dockerfiles.plan(file, Builder.BUILDKIT)] == [(1, 2), (2, 3), (3, 9)]
    assert [s.line for s in dockerfiles.plan(file, Builder.CLASSIC)] == [1, 2, 3, 5, 6, 7, 8, 9]
    assert [s.line for s in dockerfiles.plan(file, Builder.CLASSIC, "one")] == [1, 2, 3]
    with pytest.raises(DockerfileInvalid, match="no stage"):
        dockerfiles.plan(file, Builder.BUILDKIT, "two")


def test_reading(tmp_path: Path) -> None:
    with pytest.raises(DockerfileMissing):
        dockerfiles.read(tmp_path / "Dockerfile")
    with pytest.raises(DockerfileInvalid, match="it is a folder"):
        dockerfiles.read(tmp_path)
    (tmp_path / "Dockerfile").write_bytes(b"\0")
    with pytest.raises(DockerfileInvalid):
        dockerfiles.read(tmp_path / "Dockerfile")


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    for builder in Builder:
        found = dockerfiles.check(text, builder)
        assert isinstance(found, dockerfiles.Dockerfile) or any(p.fatal for p in found)


@pytest.mark.parametrize(
    ("text", "values", "target", "images"),
    [
        ("FROM nginx", {}, "", ["nginx"]),
        ("FROM scratch\nCOPY --from=ghcr.io/a/b:1 /x /x", {}, "", ["ghcr.io/a/b:1"]),
        ("FROM a AS one\nFROM one\nCOPY --from=one /x /x\nCOPY --from=0 /x /x", {}, "", ["a"]),
        (f"FROM a\nCOPY --from={'9' * 5000} /x /x", {}, "", ["a", "9" * 5000]),
        ("FROM a AS one\nFROM b", {}, "one", ["a"]),
        ("ARG REG=r.io\nARG TAG\nFROM ${REG}/x:$TAG", {"TAG": "2"}, "", ["r.io/x:2"]),
        ("ARG REG=r.io\nFROM ${REG}/x", {"REG": "q.io:5000"}, "", ["q.io:5000/x"]),
        (
            'ARG A=r.io\nARG B="$A/x"\nFROM ${B:-no}\nFROM ${C:-d.io/y}\nFROM a${A:+b}',
            {},
            "",
            ["r.io/x", "d.io/y", "ab"],
        ),
        ("ARG A=x\nFROM $A\nARG A=y\nFROM $A", {}, "", ["x"]),
        ("FROM $NOTHING", {}, "", []),
    ],
)
def test_images_that_a_build_takes_from_elsewhere(
    text: str, values: dict[str, str], target: str, images: list[str]
) -> None:
    assert list(dockerfiles.bases(dockerfiles.parse(text, Builder.CLASSIC), values, target)) == images
