"""What a build sends to the engine beside its context."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from backend import builds
from backend.client import Engine
from backend.types.builds import Builder, BuildEvent, BuildRequest
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text(
        "ARG REG=r.example:5000\nFROM $REG/base AS one\nFROM one\nCOPY --from=q.example/b . ."
    )
    return folder


async def sent(context: Path, *arguments: tuple[str, str]) -> tuple[dict[str, str], str]:
    """Builds on a fake engine; the headers of the request, and what was said of the build."""
    fake, events = FakeEngine(), list[BuildEvent]()
    async with fake.serve() as endpoint:
        engine = Engine(endpoint)
        await engine.open()
        request = BuildRequest(context, tag="made:1", build_args=arguments, builder=Builder.CLASSIC)
        await builds.build(engine, request, events.append)
        await engine.close()
    assert fake.find_image("made:1")
    return fake.asked("POST", "/build")[0].headers, str(events)


async def test_logins_of_the_registries_that_it_pulls_from(own_home: Path, context: Path) -> None:
    auth = base64.b64encode(b"me:secret").decode()
    (own_home / "docker").mkdir()
    servers = ("r.example:5000", "q.example", "s.example", "https://index.docker.io/v1/")
    (own_home / "docker" / "config.json").write_text(json.dumps({"auths": {s: {"auth": auth} for s in servers}}))
    headers, said = await sent(context)
    found = json.loads(base64.urlsafe_b64decode(headers["x-registry-config"]))
    assert found == {
        server: {"username": "me", "password": "secret", "serveraddress": server} for server in servers[:2]
    }
    assert "secret" not in said
    assert auth not in said
    headers, _said = await sent(context, ("REG", "s.example"))
    assert set(json.loads(base64.urlsafe_b64decode(headers["x-registry-config"]))) == {"s.example", "q.example"}


async def test_nothing_is_sent_without_a_login(context: Path) -> None:
    headers, _said = await sent(context)
    assert headers["content-type"] == "application/x-tar"
    assert "x-registry-config" not in headers
