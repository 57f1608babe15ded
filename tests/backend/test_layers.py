"""Layers out of an inspect and a history: their chain ids, their sizes, and who made them."""

from __future__ import annotations

import hashlib

import pytest

from backend import layers
from backend.client import Engine
from backend.types.images import ImageId, ImageSummary, Layer, StoredLayer
from tests.fakes.engine import FakeEngine


def sha(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def row(by: str, size: int = 0, comment: str = "") -> Layer:
    return Layer(created_by=by, size=size, comment=comment)


def sizes(*rows: Layer, count: int) -> list[int]:
    """Rows as a Dockerfile has them, the first first."""
    return [layer.size for layer in layers.stacked([f"sha256:{n}" for n in range(count)], rows[::-1])]


def test_a_chain_id_is_the_digest_of_all_below() -> None:
    found = layers.stacked(["sha256:a", "sha256:b", "sha256:c"], [])
    second = sha("sha256:a sha256:b")
    assert [layer.chain for layer in found] == ["sha256:a", second, sha(f"{second} sha256:c")]


def test_rows_with_a_size_made_a_layer_and_values_did_not() -> None:
    add, run = row("/bin/sh -c #(nop) ADD file:1 in / ", 100), row("/bin/sh -c apt-get install x", 20)
    assert sizes(add, row('/bin/sh -c #(nop)  CMD ["sh"]'), row("ENV A=b"), run, count=2) == [100, 20]


def test_an_empty_layer_is_one_that_could_have_written() -> None:
    base = row("ADD file:1 in /", 100)
    rows = [base, row("/bin/sh -c #(nop)  ENV A=RUN"), row("/bin/sh -c true"), row("COPY x /x", 7), row("EXPOSE 80")]
    assert sizes(*rows, count=3) == [100, 0, 7]
    assert sizes(base, row("/bin/sh -c #(nop) WORKDIR /x"), row("/bin/sh -c #(nop)  USER x"), count=2) == [100, 0]


@pytest.mark.parametrize(
    ("rows", "count", "expected"),
    [
        ([], 2, [0, 0]),
        ([row("", 5)], 2, [0, 5]),
        ([row("a", 1), row("b", 2), row("c", 3)], 2, [0, 6]),
        ([row("a", 1)], 0, []),
        ([row("a", -1)], 1, [0]),
    ],
)
def test_a_history_of_other_layers_still_gives_the_bytes(rows: list[Layer], count: int, expected: list[int]) -> None:
    assert sizes(*rows, count=count) == expected


def test_layers_of_buildkit_are_known() -> None:
    found = layers.stacked(["sha256:a", "sha256:b"], [row("RUN x", 2, "buildkit.dockerfile.v0"), row("ADD y", 1)])
    assert [(layer.size, layer.buildkit) for layer in found] == [(1, False), (2, True)]


@pytest.mark.asyncio
async def test_an_image_that_went_meanwhile_counts_as_a_layer_of_its_own() -> None:
    fake = FakeEngine()
    there = ImageId(fake.add_image("web:1"))
    gone = ImageSummary(id=ImageId("sha256:" + "9" * 64), size=7)
    async with fake.serve() as where:
        engine = Engine(where)
        await engine.open()
        found = await layers.of_images(engine, [ImageSummary(id=there), gone])
        await engine.close()
    assert [layer.size for layer in found[there]] == [fake.images[there].size]
    assert found[gone.id] == (StoredLayer(gone.id, 7),)
