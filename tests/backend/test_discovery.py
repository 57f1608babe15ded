"""Which engines are found, in which order, and what odd configurations become."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from pathlib import Path

import pytest

from backend import discovery
from backend.discovery import Candidate
from backend.endpoint import NamedPipe, Ssh, UnixSocket
from backend.errors import (
    BackendError,
    ContextBroken,
    ContextMissing,
    InvalidEndpoint,
    SocketMissing,
    UnsupportedEndpoint,
)
from tests.backend.test_contexts import add


def here(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run"), **more}


def listen(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def test_docker_is_the_default_even_where_it_is_missing(tmp_path: Path) -> None:
    first = discovery.candidates(here(tmp_path), platform="linux")[0]
    assert (first.endpoint, first.current) == (UnixSocket("/var/run/docker.sock"), True)


def test_usual_sockets_are_found_where_they_are(tmp_path: Path) -> None:
    for path in ("run/docker.sock", "run/podman/podman.sock", ".colima/default/docker.sock", ".rd/docker.sock"):
        listen(tmp_path / path)
    labels = [one.label for one in discovery.candidates(here(tmp_path), platform="linux")]
    assert {"Docker, rootless", "Podman", "Colima", "Rancher Desktop"} <= set(labels)


def test_docker_host_comes_first_and_only_once(tmp_path: Path) -> None:
    listen(tmp_path / "run/docker.sock")
    add(tmp_path / ".docker", "same", f"unix://{tmp_path}/run/docker.sock")
    found = discovery.candidates(here(tmp_path, DOCKER_HOST=f"unix://{tmp_path}/run/docker.sock"), platform="linux")
    assert (found[0].source, found[0].current) == ("DOCKER_HOST", True)
    assert [one.endpoint for one in found].count(UnixSocket(f"{tmp_path}/run/docker.sock")) == 1
    assert [one.current for one in found].count(True) == 1


def test_one_address_with_different_tls_files_is_several_engines(tmp_path: Path) -> None:
    folder, host = tmp_path / ".docker", "tcp://build.example:2376"
    for name in ("alice", "alice-again", "bob", "careless"):
        add(folder, name, host, tls=("ca", "cert", "key"), skip=name == "careless")
    add(folder, "nobody", host)
    key = hashlib.sha256(b"bob").hexdigest()
    (folder / "contexts" / "tls" / key / "docker" / "key.pem").write_text("of bob")
    found = [one for one in discovery.candidates(here(tmp_path), platform="linux") if one.source == "docker context"]
    assert [one.label for one in found] == ["alice", "bob", "careless", "nobody"]


def test_the_same_tls_files_elsewhere_are_the_same_engine(tmp_path: Path) -> None:
    add(tmp_path / ".docker", "work", "tcp://build.example:2376", tls=("ca", "cert", "key"))
    (tmp_path / "certs").mkdir()
    for part in ("ca", "cert", "key"):
        (tmp_path / "certs" / f"{part}.pem").write_text("pem")
    asked = {"DOCKER_HOST": "tcp://build.example:2376", "DOCKER_CERT_PATH": str(tmp_path / "certs")}
    found = discovery.candidates(here(tmp_path, DOCKER_TLS_VERIFY="1", **asked), platform="linux")
    assert [one.source for one in found if one.source != "socket"] == ["DOCKER_HOST"]


def test_the_chosen_context_comes_first(tmp_path: Path) -> None:
    add(tmp_path / ".docker", "alpha", "unix:///a.sock")
    add(tmp_path / ".docker", "work", "unix:///w.sock")
    (tmp_path / ".docker" / "config.json").write_text('{"currentContext": "work"}')
    first = discovery.candidates(here(tmp_path), platform="linux")[0]
    assert (first.label, first.current) == ("work", True)
    chosen = discovery.candidates(here(tmp_path, DOCKER_CONTEXT="alpha"), platform="linux")[0]
    assert chosen.label == "alpha"


def test_a_chosen_context_that_does_not_exist_is_told(tmp_path: Path) -> None:
    first = discovery.candidates(here(tmp_path, DOCKER_CONTEXT="gone"), platform="linux")[0]
    assert (first.label, first.current, first.endpoint) == ("gone", True, None)
    assert isinstance(first.error, ContextMissing)
    assert (first.error.text, first.error.reason) == ("gone", "DOCKER_CONTEXT chooses it")
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text('{"currentContext": "lost"}')
    second = discovery.candidates(here(tmp_path), platform="linux")[0]
    assert isinstance(second.error, ContextMissing)
    assert (second.error.text, second.error.reason) == ("lost", f"{tmp_path}/.docker/config.json chooses it")


def test_a_broken_configuration_is_told_and_not_fatal(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_bytes(b"\x00\xff")
    found = discovery.candidates(here(tmp_path), platform="linux")
    assert isinstance(next(one.error for one in found if one.label == "config.json"), ContextBroken)
    assert UnixSocket("/var/run/docker.sock") in [one.endpoint for one in found]


@pytest.mark.parametrize(
    "host", ["tcp://", "npipe://", "ssh://-oProxyCommand=x", "unix://rel", "ftp://x", " ", "unix:///a\nb", "tcp://h:0"]
)
def test_odd_hosts_are_refused_before_anything_is_sent(tmp_path: Path, host: str) -> None:
    first = discovery.candidates(here(tmp_path, DOCKER_HOST=host), platform="linux")[0]
    assert first.endpoint is None
    assert isinstance(first.error, InvalidEndpoint)


def test_windows_has_pipes(tmp_path: Path) -> None:
    found = discovery.candidates(here(tmp_path), platform="win32")
    assert all(isinstance(one.endpoint, NamedPipe) for one in found)


@pytest.mark.asyncio
async def test_a_host_over_ssh_that_docker_would_use_is_asked_and_others_are_not(tmp_path: Path) -> None:
    first = discovery.candidates(here(tmp_path, DOCKER_HOST="ssh://me@build.example"), platform="linux")[0]
    assert isinstance(first.endpoint, Ssh)
    assert isinstance((await discovery.probe(first)).error, UnsupportedEndpoint)  # Nothing opens tunnels here.
    away = Candidate("away", "docker context", Ssh("other.example"))
    unasked = await discovery.probe(away)
    assert not unasked.asked
    assert not unasked.answers
    assert discovery.is_wanted(Candidate("away", discovery.LAST, Ssh("other.example")))


def test_the_host_of_last_time_is_known_as_such_though_it_is_named_elsewhere(tmp_path: Path) -> None:
    host = Ssh("other.example")
    besides = [Candidate("away", "SSH", host), Candidate("away", discovery.LAST, host)]
    found = discovery.candidates(here(tmp_path), platform="linux", besides=besides)
    assert [one.source for one in found if one.endpoint == host] == [discovery.LAST]


@pytest.mark.asyncio
async def test_probes_tell_and_never_raise(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    quiet = tmp_path / "quiet.sock"
    server = await asyncio.start_unix_server(silent, str(quiet))
    async with server:
        wanted = [
            Candidate("missing", "socket", UnixSocket(str(tmp_path / "none.sock"))),
            Candidate("quiet", "socket", UnixSocket(str(quiet))),
            Candidate("odd", "DOCKER_HOST", None, InvalidEndpoint("x", "y")),
        ]
        missing, silence, odd = await discovery.probe_all(wanted, deadline=0.3)
    assert isinstance(missing.error, SocketMissing)
    assert isinstance(silence.error, BackendError)
    assert odd.error is wanted[2].error
    assert not any(probe.answers for probe in (missing, silence, odd))
