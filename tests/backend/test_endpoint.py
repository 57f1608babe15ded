"""Addresses: what is read, what is refused, and whose sockets are opened."""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import dial, discovery, endpoint
from backend.endpoint import NamedPipe, Ssh, Tcp, TlsFiles, UnixSocket
from backend.errors import (
    EngineUnreachable,
    InvalidEndpoint,
    SocketDenied,
    SocketMissing,
    SocketUntrusted,
    TlsRefused,
    UnsupportedEndpoint,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("unix:///var/run/docker.sock", UnixSocket("/var/run/docker.sock")),
        ("npipe:////./pipe/docker_engine", NamedPipe(r"\\.\pipe\docker_engine")),
        ("tcp://localhost:2375", Tcp("localhost", 2375)),
        ("tcp://[::1]:99", Tcp("::1", 99)),
        ("ssh://me@host.example", Ssh("host.example", 22, "me")),
        ("ssh://host:2222", Ssh("host", 2222, "")),
    ],
)
def test_good_addresses_and_back(text: str, found: endpoint.Endpoint) -> None:
    assert endpoint.parse(text) == found
    assert endpoint.text(found) == text


def test_ports_that_are_left_out() -> None:
    tls = TlsFiles()
    assert endpoint.parse("tcp://h") == Tcp("h", 2375)
    assert endpoint.parse("tcp://h", tls=tls) == Tcp("h", 2376, tls)
    assert endpoint.parse("https://h") == Tcp("h", 2376, tls)


@pytest.mark.parametrize(
    "text",
    ["", " ", "tcp://", "tcp://:2375", "tcp://h:0", "tcp://h:99999", "tcp://h:", "tcp://h:x", "tcp://u@h", "tcp://h/path",
     "npipe://", "npipe:////server/pipe/x", "npipe:////./pipe/../x", "ssh://", "ssh://-oProxyCommand=x",
     "ssh://-oProxyCommand=x@h", "ssh://u:secret@h", "ssh://h/x", "ssh://@h", "unix://rel", "unix://", "unix:///",
     "unix:///a b", "unix:///a\n", "unix:///a?x", "unix:///a#x", "/var/run/docker.sock", "fd://", "file:///x", "tcp://[::1",
     "unix:///" + "a" * 120, "tcp://-h:1", "tcp://a_b-:1"],
)  # fmt: skip
def test_odd_addresses_are_refused(text: str) -> None:
    with pytest.raises(InvalidEndpoint):
        endpoint.parse(text)


@given(st.text(max_size=60), st.sampled_from(["", "unix://", "tcp://", "ssh://", "npipe://"]))
def test_any_text_is_read_or_refused(text: str, scheme: str) -> None:
    try:
        found = endpoint.parse(scheme + text)
    except InvalidEndpoint:
        return
    assert not isinstance(found, Ssh) or not (found.host.startswith("-") or found.user.startswith("-"))


def test_what_may_not_be_opened() -> None:
    with pytest.raises(UnsupportedEndpoint):
        endpoint.check(Tcp("10.0.0.1", 2375))
    for fine in (Ssh("h"), Tcp("10.0.0.1", 2375, allow_plain=True), Tcp("127.0.0.1", 2375), Tcp("h", 1, TlsFiles())):
        endpoint.check(fine)


@pytest.fixture
def listening(tmp_path: Path) -> Path:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
    return path


def test_a_socket_or_link_of_another_person_is_refused(listening: Path) -> None:
    endpoint.check(UnixSocket(str(listening)))
    if os.geteuid() != 0:
        pytest.skip("giving a file away takes root")
    link = listening.with_name("link")
    link.symlink_to(listening)
    endpoint.check(UnixSocket(str(link)))
    os.chown(link, 1, 1, follow_symlinks=False)
    with pytest.raises(SocketUntrusted) as caught:
        endpoint.check(UnixSocket(str(link)))
    assert caught.value.owner == "daemon"
    os.chown(listening, 1, 1)
    with pytest.raises(SocketUntrusted):
        endpoint.check(UnixSocket(str(listening)))


def test_a_file_that_is_no_socket_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    with pytest.raises(EngineUnreachable, match="something else than a socket") as refused:
        endpoint.check(UnixSocket(str(tmp_path / "f")))
    assert not isinstance(refused.value, SocketUntrusted)


def test_what_the_system_says_becomes_a_typed_error(listening: Path) -> None:
    listening.chmod(0o660)
    denied = dial.unreachable(UnixSocket(str(listening)), PermissionError(13, "Permission denied"))
    assert isinstance(denied, SocketDenied)
    assert denied.group == endpoint.group_name(str(listening)) != ""
    missing = dial.unreachable(UnixSocket("/nowhere/s"), FileNotFoundError(2, "No such file"))
    assert isinstance(missing, SocketMissing)
    assert missing.where == "unix:///nowhere/s"
    # The 1 of an SSLError is not EPERM.
    refused = dial.unreachable(
        Tcp("h", 1, TlsFiles()), ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    )
    assert isinstance(refused, TlsRefused)
    assert "wrong version number" in refused.reason


@pytest.mark.parametrize(
    "address", ["tcp://me:hunter2@host:1", "ssh://me:hunter2@host", "ssh://me:hun/ter2@host", "ssh://me:a@hunter2@h"]
)
def test_a_password_in_an_address_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(InvalidEndpoint) as refused:
        endpoint.parse(address)
    found = discovery.candidates({"DOCKER_HOST": address, "HOME": "/nowhere"})[0]
    for said in (str(refused.value), refused.value.text, found.label, str(found.error)):
        assert "ter2" not in said
        assert "•••@" in said
