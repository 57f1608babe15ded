"""A private registry: its login reaches the engine for pulls and builds, and nothing else."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import pytest

from backend import builds, moving
from backend.client import Engine
from backend.endpoint import UnixSocket
from backend.errors import BackendError, BuildFailed
from backend.registries import authorization
from backend.types.builds import Builder, BuildEvent, BuildRequest, StepOutput
from tests.e2e import images
from tests.e2e.daemon import Daemon

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]
USER, PASSWORD = "builder", "canary-registry-5Kq8"
CONFIG = """\
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http: {{addr: "127.0.0.1:{port}"}}
auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}
"""


@dataclass
class Registry:
    """A registry beside the engine, in its network: `host` is how the engine reaches it, `base` an image in it."""

    host: str
    base: str
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture(scope="module")
def registry(
    engine_process: Daemon, docker_cli: Callable[..., str], busybox_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Registry]:
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "config.yml").write_text(CONFIG.format(folder=folder, port=port))
    (folder / "htpasswd").write_text(f"{USER}:{bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()}\n")
    inside = ["nsenter", "-t", str(engine_process.pid), "-n"]
    with (folder / "log").open("wb") as log:
        words = [*inside, str(images.registry_program()), "serve", str(folder / "config.yml")]
        process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT)
    made = Registry(f"127.0.0.1:{port}", f"127.0.0.1:{port}/private/base:1", folder)
    try:
        limit = time.monotonic() + 30
        while "listening on" not in made.log:
            assert process.poll() is None, made.log
            assert time.monotonic() < limit, made.log
            time.sleep(0.1)
        log_in(folder, made.host)
        environment = {**os.environ, "DOCKER_HOST": engine_process.docker_host, "DOCKER_CONFIG": str(folder)}
        docker_cli("tag", busybox_image, made.base)
        pushed = subprocess.run(["docker", "push", made.base], env=environment, capture_output=True, text=True)
        assert pushed.returncode == 0, pushed.stderr
        docker_cli("rmi", made.base)
        yield made
    finally:
        process.terminate()
        process.wait(10)


def log_in(folder: Path, host: str) -> None:
    """As `docker login` leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buildx: Path) -> Path:
    """A docker configuration of the test's own; nobody is logged in."""
    folder = tmp_path / "config"
    (folder / "cli-plugins").mkdir(parents=True)
    (folder / "cli-plugins" / "docker-buildx").symlink_to(buildx)
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return folder


@pytest.mark.parametrize("builder", list(Builder), ids=lambda b: b.name.lower())
async def test_a_build_from_a_private_base(
    engine_host: UnixSocket,
    registry: Registry,
    docker_cli: Callable[..., str],
    config: Path,
    tmp_path: Path,
    builder: Builder,
) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(f"ARG FROM_HERE\nFROM ${{FROM_HERE}}/private/base:1\nRUN echo {builder.name}\n")
    tag = f"pilothouse-test/private:{builder.name.lower()}"
    request = BuildRequest(context, tag=tag, build_args=(("FROM_HERE", registry.host),), builder=builder, pull=True)
    events: list[BuildEvent] = []
    engine = Engine(engine_host)
    await engine.open()
    try:
        with pytest.raises(BuildFailed, match=r"(?i)auth") as refused:
            await builds.build(engine, request, events.append)
        log_in(config, registry.host)
        image = await builds.build(engine, request, events.append)
    finally:
        await engine.close()
    assert docker_cli("image", "inspect", "-f", "{{.Id}}", tag).strip().startswith(image[:19])
    said = str(refused.value) + "".join(e.text for e in events if isinstance(e, StepOutput))
    assert PASSWORD not in said
    assert base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode() not in said
    docker_cli("rmi", "-f", tag)


async def test_a_pull_with_the_login_of_a_helper(
    engine_host: UnixSocket, registry: Registry, docker_cli: Callable[..., str], config: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    engine = Engine(engine_host)
    await engine.open()

    async def pull() -> str:
        auth = await authorization(registry.base)
        return "\n".join([str(m) async for m in moving.pull(engine, registry.base, auth=auth)])

    try:
        with pytest.raises(BackendError, match=r"(?i)auth") as refused:
            await pull()
        helper = config / "docker-credential-test"
        helper.write_text(f'#!/bin/sh\necho \'{{"Username": "{USER}", "Secret": "{PASSWORD}"}}\'\n')
        helper.chmod(0o700)
        monkeypatch.setenv("PATH", f"{config}:{os.environ['PATH']}")
        (config / "config.json").write_text(json.dumps({"credHelpers": {registry.host: "test"}}))
        said = await pull()
    finally:
        await engine.close()
    assert "127.0.0.1" in docker_cli("image", "inspect", "-f", "{{.RepoTags}}", registry.base)
    assert PASSWORD not in said + str(refused.value)
    docker_cli("rmi", "-f", registry.base)


async def test_a_push_is_in_the_registry_for_those_who_are_logged_in(
    engine_host: UnixSocket, registry: Registry, docker_cli: Callable[..., str], config: Path, busybox_image: str
) -> None:
    name = f"{registry.host}/private/pushed:2"
    docker_cli("tag", busybox_image, name)
    image = docker_cli("image", "inspect", "-f", "{{.Id}}", name).strip()
    engine = Engine(engine_host)
    await engine.open()
    try:
        with pytest.raises(BackendError, match=r"(?i)auth|credentials"):
            [message async for message in moving.push(engine, name)]
        log_in(config, registry.host)
        auth = await authorization(name)
        told = [message async for message in moving.push(engine, name, auth=auth)]
        assert any(message.id for message in told)
        docker_cli("rmi", name)
        assert [m async for m in moving.pull(engine, name, auth=auth)]
    finally:
        await engine.close()
    assert docker_cli("image", "inspect", "-f", "{{.Id}}", name).strip() == image
    docker_cli("rmi", name)
