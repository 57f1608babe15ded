"""A real dockerd that speaks TLS only: who it lets in, and what those read whom it does not."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.notices import notice_for
from app.session import Phase
from backend import system
from backend.client import Engine
from backend.embedded import dockerd
from backend.endpoint import Tcp, TlsFiles
from backend.errors import TlsFault, TlsRefused
from tests.e2e.desk import at_desk
from tests.fakes.engine import FakeEngine
from tests.fakes.tls import make_keys

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]
START_SECONDS = 60


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_keys(tmp_path_factory.mktemp("tls") / "right")


@pytest.fixture(scope="module")
def strange(keys: Path) -> Path:
    return make_keys(keys.parent / "strange")


@contextmanager
def _dockerd(root: Path, *words: str) -> Iterator[int]:
    """The port of a dockerd without a network of its own, so that it leaves the host's firewall alone."""
    root.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    program = shutil.which("dockerd", path=dockerd.search_path())
    assert program
    said = [program, "--data-root", str(root / "data"), "--exec-root", str(root / "exec"), "--bridge=none"]
    said += ["--pidfile", str(root / "pid"), "--iptables=false", "-H", f"tcp://127.0.0.1:{port}", *words]
    with (root / "log").open("wb") as log:
        daemon = subprocess.Popen(said, stdout=log, stderr=log)
    try:
        limit = time.monotonic() + START_SECONDS
        while not _listens(port):
            assert daemon.poll() is None, (root / "log").read_text()
            assert time.monotonic() < limit, (root / "log").read_text()
            time.sleep(0.05)
        yield port
    finally:
        daemon.terminate()
        daemon.wait(30)


@pytest.fixture(scope="module")
def port(keys: Path) -> Iterator[int]:
    """An engine that speaks TLS with those whom `keys` knows."""
    cert, key = str(keys / "cert.pem"), str(keys / "key.pem")
    with _dockerd(keys.parent / "e", "--tlsverify", "--tlscacert", cert, "--tlscert", cert, "--tlskey", key) as port:
        yield port


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def _files(keys: Path, shown: Path | None) -> TlsFiles:
    own = (str(shown / "cert.pem"), str(shown / "key.pem")) if shown is not None else ("", "")
    return TlsFiles(str(keys / "cert.pem"), *own)


async def _refusal(port: int, files: TlsFiles | None) -> TlsRefused:
    engine = Engine(Tcp("127.0.0.1", port, files))
    try:
        with pytest.raises(TlsRefused) as caught:
            await engine.open()
    finally:
        await engine.close()
    return caught.value


async def test_who_shows_a_certificate_that_it_knows_is_let_in(port: int, keys: Path) -> None:
    engine = Engine(Tcp("127.0.0.1", port, _files(keys, keys)))
    await engine.open()
    assert (await system.info(engine)).server_version == engine.version.version != ""
    async with await engine.raw("/events", query={"until": int(time.time())}) as events:
        assert await events.read() == b""
    await engine.close()


@pytest.mark.parametrize("shows", [True, False], ids=["a strange one", "none"])
async def test_a_certificate_that_it_does_not_know_is_told_as_that(
    port: int, keys: Path, strange: Path, shows: bool
) -> None:
    refused = await _refusal(port, _files(keys, strange if shows else None))
    assert refused.fault is TlsFault.OUR_CERTIFICATE
    told = notice_for(refused)
    assert told.title == "The engine does not accept your certificate"
    assert f"127.0.0.1:{port}" in told.detail
    assert "key.pem" in told.detail
    assert told.step is not None


async def test_an_engine_with_a_certificate_of_nobody_known_is_told_as_that(
    port: int, keys: Path, strange: Path
) -> None:
    refused = await _refusal(port, _files(strange, keys))
    assert refused.fault is TlsFault.THEIR_CERTIFICATE
    assert notice_for(refused).title == "The engine's certificate is not accepted"


async def test_to_ask_without_tls_is_told_as_that(port: int) -> None:
    refused = await _refusal(port, None)
    assert refused.fault is TlsFault.TLS_WANTED
    told = notice_for(refused)
    assert told.title == "The engine wants TLS"
    assert told.step is not None


async def test_to_ask_an_engine_for_tls_that_has_none_is_told_as_that(keys: Path) -> None:
    with _dockerd(keys.parent / "plain") as plain:
        refused = await _refusal(plain, _files(keys, keys))
    assert refused.fault is TlsFault.NO_TLS
    assert notice_for(refused).title == "The engine speaks no TLS"


async def test_the_window_says_it_and_takes_the_right_certificate(
    qapp: QApplication, port: int, keys: Path, strange: Path
) -> None:
    for folder in (keys, strange):
        (folder / "ca.pem").symlink_to(keys / "cert.pem")
    async with FakeEngine().serve() as near, at_desk(near) as person:
        session, address = person.desk.session, f"tcp://127.0.0.1:{port}"
        dialog = await person.connect_to(address, strange)
        await person.sees("The engine does not accept your certificate")
        assert dialog.address.text() == address
        assert session.state.endpoint == near
        assert session.state.phase is Phase.CONNECTED
        await person.type(dialog.folder, str(keys))
        await person.press("Connect")
        await person.until(lambda: session.engine is not None and session.engine.endpoint != near, "the engine")
        await person.until(lambda: session.state.phase is Phase.CONNECTED, "its lists")
        assert not person.window.dialogs_open()


async def test_the_window_names_a_broken_file_of_ours_and_blames_no_engine(
    qapp: QApplication, port: int, keys: Path, tmp_path: Path
) -> None:
    for name in ("cert", "key"):
        (tmp_path / f"{name}.pem").symlink_to(keys / f"{name}.pem")
    (tmp_path / "ca.pem").write_text("not a certificate")
    async with FakeEngine().serve() as near, at_desk(near) as person:
        session, address = person.desk.session, f"tcp://127.0.0.1:{port}"
        for asked in (address, "tcp://127.0.0.1:1"):
            dialog = await person.connect_to(asked, tmp_path)
            await person.sees(f"A file for TLS cannot be used. {tmp_path}/ca.pem holds no certificate in PEM form.")
            assert dialog.folder_field.error()
            assert not [words for words in person.words() if "accept" in words or asked in words]
            assert session.state.endpoint == near
            dialog.reject()
        (tmp_path / "ca.pem").write_bytes((keys / "cert.pem").read_bytes())
        await person.connect_to(address, tmp_path)
        await person.until(lambda: session.engine is not None and session.engine.endpoint != near, "the engine")
        assert (await system.info(session.engine)).server_version if session.engine is not None else ""
