"""Values that a build was given: the Images page shows none of them unasked, whichever builder wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from app.pages.images.page import ImagesPage
from app.widgets.cells import Group
from backend import builds, images
from backend.client import Engine
from backend.endpoint import UnixSocket
from backend.types.builds import Builder, BuildRequest
from tests.e2e.desk import Person, at_desk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]
ARGUMENTS = (("SECRET", "CANARY one"), ("OTHER", "with CANARY"))
DOCKERFILE = """
FROM {base}
ARG SECRET
ARG OTHER
ENV PASSWORD="CANARY two"
RUN echo "$SECRET" > /made
RUN ["/bin/true", "--quick"]
"""


def seen(person: Person, page: ImagesPage) -> str:
    """All that the page says, its tool tips and what a screen reader is told."""
    layers = [page.detail.model.entry(at) for at in range(page.detail.model.rowCount())]
    cells = [
        part for row in layers if not isinstance(row, Group) for c in row for part in (c.text, c.tooltip, c.accessible)
    ]
    told = [part for w in page.findChildren(QWidget) for part in (w.toolTip(), w.accessibleName())]
    return "\n".join((*person.words(), *cells, *told))


@pytest.mark.parametrize("builder", list(Builder), ids=lambda b: b.name.lower())
async def test_no_value_is_shown_unasked(
    qapp: QApplication,
    engine_host: UnixSocket,
    busybox_image: str,
    buildx: Path,
    builder: Builder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plugins, context = tmp_path / "config" / "cli-plugins", tmp_path / "context"
    for folder in (plugins, context):
        folder.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to(buildx)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    (context / "Dockerfile").write_text(DOCKERFILE.format(base=busybox_image))
    tag = f"holds-secrets:{builder.name.lower()}"
    engine = Engine(engine_host)
    await engine.open()
    try:
        request = BuildRequest(context, tag=tag, build_args=ARGUMENTS, builder=builder, no_cache=True)
        await builds.build(engine, request, lambda _event: None)
        async with at_desk(engine_host) as person:
            person.window.resize(1280, 800)
            page = cast("ImagesPage", await person.nav("images"))
            await person.type(page.search, tag)
            await person.until(lambda: page.detail.title.text() == tag, "the details")
            await person.until(lambda: 'echo "$SECRET"' in seen(person, page), "the layers")
            assert "CANARY" not in seen(person, page)
            await person.tab("overview")
            await person.sees("PASSWORD=••••••••")
            assert "CANARY" not in seen(person, page)
            await person.click(page.detail.overview.eye)
            await person.sees("PASSWORD=CANARY two")
        told = await images.history(engine, tag)
        assert any("SECRET=CANARY one" in layer.created_by for layer in told), "the engine tells what is masked"
        await images.remove(engine, tag)
    finally:
        await engine.close()
