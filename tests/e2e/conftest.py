"""Fixtures of the end-to-end tests: a real engine, base images without a registry, the docker command line."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.endpoint import UnixSocket
from tests.e2e import images
from tests.e2e.daemon import Daemon
from tests.e2e.sshd import Sshd

DockerCli = Callable[..., str]


@pytest.fixture(scope="session")
def engine_process() -> Iterator[Daemon]:
    """The shared engine as a process: kill(), suspend(), resume(), start(), log(). Leave it running and answering."""
    daemon = Daemon()
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.close()


@pytest.fixture(scope="session")
def engine_host(engine_process: Daemon) -> UnixSocket:
    """Where the shared engine answers."""
    return engine_process.endpoint


@pytest.fixture(scope="session")
def sshd(engine_process: Daemon) -> Iterator[Sshd]:
    """A host that is reached over SSH, and on which the shared engine is."""
    if os.getuid() != 0:
        pytest.skip("an sshd with users of its own takes root")
    made = Sshd(engine_process.paths.socket)
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def person_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without keys and hosts that are known, and without an agent."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return home


@pytest.fixture
def own_engine() -> Iterator[Daemon]:
    """An engine of the test's own, for what would disturb the others (kill, prune); not started yet."""
    daemon = Daemon()
    try:
        yield daemon
    finally:
        daemon.close()


@pytest.fixture(scope="session")
def docker_cli(engine_process: Daemon, tmp_path_factory: pytest.TempPathFactory) -> DockerCli:
    """`docker_cli("ps", "-a", stdin=b"", check=True)` → its standard output; against the shared engine, own config."""
    config = tmp_path_factory.mktemp("docker-config")

    def run(*words: str, stdin: bytes | None = None, check: bool = True, host: str = "", timeout: float = 300) -> str:
        environment = {**os.environ, "DOCKER_HOST": host or engine_process.docker_host, "DOCKER_CONFIG": str(config)}
        environment.pop("DOCKER_CONTEXT", None)
        done = subprocess.run(["docker", *words], input=stdin, capture_output=True, env=environment, timeout=timeout)
        assert not check or done.returncode == 0, f"docker {words}: {done.stderr.decode(errors='replace')}"
        return done.stdout.decode(errors="replace") if done.returncode == 0 else done.stderr.decode(errors="replace")

    return run


@pytest.fixture(scope="session")
def busybox_image(docker_cli: DockerCli) -> str:
    """busybox-static and its links; its command is a shell."""
    docker_cli("import", "--change", 'CMD ["/bin/sh"]', "-", images.BUSYBOX, stdin=images.busybox_tar())
    return images.BUSYBOX


@pytest.fixture(scope="session")
def debian_image(docker_cli: DockerCli) -> str:
    """A minimal Debian 12 with apt."""
    docker_cli("import", "--change", 'CMD ["/bin/bash"]', str(images.debian_tar()), images.DEBIAN)
    return images.DEBIAN


@pytest.fixture(scope="session")
def buildx() -> Path:
    """The docker-buildx plugin of Debian 13: run it as it is, or link it as DOCKER_CONFIG/cli-plugins/docker-buildx."""
    return images.buildx_plugin()
