"""The commands of images: their docker lines and their refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.commands.images import (
    CLEAN_UP,
    IMPORT,
    LOAD,
    REMOVE,
    SAVE,
    TAG,
    CleanUp,
    ImageRemoval,
    Importing,
    Saving,
    Tagging,
    reference_problem,
    split_reference,
)
from app.commands.pull import PULL, Pulling
from app.commands.pull import reference_problem as pull_problem
from app.operation import Operation
from backend.client import Engine
from backend.errors import NotAllRemoved, NotFound
from backend.types.images import ImageId, ImageSummary
from tests.fakes.engine import FakeEngine

IMAGE = ImageSummary(id=ImageId("sha256:" + "a1" * 32), repo_tags=("web:1",))
UNTAGGED = ImageSummary(id=ImageId("sha256:" + "b2" * 32), repo_tags=("<none>:<none>",))


def test_lines() -> None:
    assert TAG.line(Tagging(IMAGE, "web:2")).shown == "docker tag web:1 web:2"
    assert TAG.line(Tagging(UNTAGGED, "web:2")).shown == "docker tag b2b2b2b2b2b2 web:2"
    assert REMOVE.line(ImageRemoval(IMAGE, ("web:1",))).shown == "docker rmi web:1"
    assert REMOVE.line(ImageRemoval(UNTAGGED, force=True)).shown == "docker rmi --force b2b2b2b2b2b2"
    assert SAVE.line(Saving(("web:1", "db:1"), Path("/tmp/a b.tar"))).shown == (
        "docker save --output '/tmp/a b.tar' web:1 db:1"
    )
    assert LOAD.line(Path("/tmp/x.tar")).shown == "docker load --input /tmp/x.tar"
    assert IMPORT.line(Importing(Path("/tmp/root.tar"), "base:1", "from a CD")).shown == (
        "docker import --message 'from a CD' /tmp/root.tar base:1"
    )
    assert CLEAN_UP.line(CleanUp(True)).shown == "docker image prune --force"
    assert CLEAN_UP.line(CleanUp(False)).shown == "docker image prune --force --all"
    assert PULL.line(Pulling("nginx:1", "linux/arm64")).shown == "docker pull --platform linux/arm64 nginx:1"


@pytest.mark.parametrize("text", ["", "UPPER:1", "a b", "web:", "-web", "web@sha256:" + "a" * 64])
def test_what_cannot_be_a_new_name_is_refused_with_words(text: str) -> None:
    assert reference_problem(text)


@pytest.mark.parametrize("text", ["web", "web:1", "localhost:5000/team/web:1.2", "ghcr.io/a/b"])
def test_what_can_be_a_name(text: str) -> None:
    assert reference_problem(text) == ""
    assert pull_problem(text) == ""


def test_the_colon_of_a_port_is_no_tag() -> None:
    assert split_reference("localhost:5000/web") == ("localhost:5000/web", "latest")
    assert split_reference("localhost:5000/web:2") == ("localhost:5000/web", "2")


def test_a_removal_is_called_by_the_names_that_go() -> None:
    several = ImageRemoval(IMAGE, ("web:2", "web:3"))
    assert (REMOVE.subject(several), REMOVE.done(several)) == ("web:2, web:3", "Removed web:2, web:3")
    assert REMOVE.subject(ImageRemoval(IMAGE)) == "web:1"


@pytest.mark.asyncio
async def test_a_removal_goes_on_past_what_is_not_there() -> None:
    fake = FakeEngine()
    fake.add_image("web:2", "web:3")
    async with fake.serve() as endpoint:
        engine = Engine(endpoint)
        await engine.open()
        target = ImageRemoval(IMAGE, ("web:1", "web:2", "web:3"))
        operation = Operation(REMOVE.title, REMOVE.subject(target), REMOVE.line(target))
        with pytest.raises(NotAllRemoved) as told:
            await REMOVE.run(engine, target, operation)
        with pytest.raises(NotFound):
            await REMOVE.run(engine, ImageRemoval(IMAGE, ("web:1",)), operation)
        await engine.close()
    assert (told.value.kept, told.value.removed) == (("web:1",), ("web:2", "web:3"))
    assert not fake.images
