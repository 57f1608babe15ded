"""TLS over TCP, and named pipes as connections of the client."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpcore
import httpx
import pytest

from backend import containers, dial, tls
from backend.client import Engine
from backend.endpoint import Tcp, TlsFiles, UnixSocket
from backend.errors import EngineUnreachable, TlsFilesUnusable, UnsupportedEndpoint
from backend.pipe import PipeBackend
from tests.fakes.engine import FakeEngine
from tests.fakes.tls import make_keys, over_tls

pytestmark = pytest.mark.asyncio


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_keys(tmp_path_factory.mktemp("tls"))


async def test_calls_and_streams_over_tls_with_a_given_authority(keys: Path) -> None:
    fake = FakeEngine()
    fake.add_container("web", logs=[b"one\n"])
    files = TlsFiles(str(keys / "cert.pem"), str(keys / "cert.pem"), str(keys / "key.pem"))
    async with over_tls(fake, keys) as port:
        engine = Engine(Tcp("127.0.0.1", port, files))
        await engine.open()
        assert len(await containers.list_(engine)) == 1
        async with await containers.logs(engine, "web", timestamps=False) as stream:
            assert [f async for b in stream for f in b] == [(1, b"one\n")]
        async with await containers.attach(engine, "web") as joined:
            assert (await joined.read()).endswith(b"early\n")
        await engine.close()


async def test_an_authority_that_is_not_trusted_is_not_spoken_to(keys: Path) -> None:
    fake = FakeEngine()
    async with over_tls(fake, keys) as port:
        engine = Engine(Tcp("127.0.0.1", port, TlsFiles(cert=str(keys / "cert.pem"), key=str(keys / "key.pem"))))
        with pytest.raises(EngineUnreachable):
            await engine.open()
        with pytest.raises(EngineUnreachable):
            await engine.raw("/x")
        await engine.close()
    assert not fake.requests


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.pem", "is missing"),
        ("folder.pem", "is a folder, not a file"),
        ("broken.pem", "holds no certificate in PEM form"),
        ("empty.pem", "holds no certificate in PEM form"),
    ],
)
async def test_the_file_for_tls_that_cannot_be_used_is_named(
    tmp_path: Path, keys: Path, name: str, reason: str
) -> None:
    bad, good, key = str(tmp_path / name), str(keys / "cert.pem"), str(keys / "key.pem")
    (tmp_path / "broken.pem").write_text("no key")
    (tmp_path / "empty.pem").write_text("")
    (tmp_path / "folder.pem").mkdir()
    for files in (TlsFiles(bad, good, key), TlsFiles(good, bad, key), TlsFiles("", bad, key, verify=False)):
        with pytest.raises(TlsFilesUnusable) as caught:
            tls.context(files)
        assert (caught.value.text, caught.value.reason) == (bad, reason)
    with pytest.raises(TlsFilesUnusable) as caught:
        tls.context(TlsFiles(good, good, bad))
    assert (caught.value.text, caught.value.reason) == (bad, reason.replace("certificate", "private key"))


async def test_a_key_of_another_certificate_or_behind_a_passphrase_is_told_as_that(tmp_path: Path, keys: Path) -> None:
    other, locked = make_keys(tmp_path / "other"), tmp_path / "locked.pem"
    words = ["openssl", "pkcs8", "-topk8", "-in", str(keys / "key.pem"), "-out", str(locked), "-passout", "pass:x"]
    subprocess.run(words, check=True, capture_output=True)
    cert = str(keys / "cert.pem")
    for key, reason in ((other / "key.pem", f"does not belong to {cert}"), (locked, "is locked with a passphrase")):
        with pytest.raises(TlsFilesUnusable) as caught:
            tls.context(TlsFiles("", cert, str(key)))
        assert caught.value.text == str(key)
        assert caught.value.reason.startswith(reason)


async def test_a_broken_file_of_ours_is_not_said_to_be_of_an_engine(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    engine = Engine(Tcp("127.0.0.1", 1, TlsFiles(str(tmp_path / "ca.pem"))))
    for asked in (engine.open(), engine.ping(), engine.raw("/x")):
        with pytest.raises(TlsFilesUnusable) as caught:
            await asked
        assert caught.value.text == str(tmp_path / "ca.pem")
    await engine.close()


async def test_a_pipe_carries_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeEngine()
    fake.add_container("web")
    async with fake.serve() as endpoint:

        async def opener(protocol: Callable[[], asyncio.BaseProtocol], path: str) -> object:
            assert path == r"\\.\pipe\docker_engine"
            return await asyncio.get_running_loop().create_unix_connection(protocol, endpoint.path)

        monkeypatch.setattr(asyncio.get_running_loop(), "create_pipe_connection", opener, raising=False)
        transport = httpx.AsyncHTTPTransport(verify=False, trust_env=False)
        transport._pool = httpcore.AsyncConnectionPool(network_backend=PipeBackend(r"\\.\pipe\docker_engine"))
        engine = Engine(UnixSocket(endpoint.path), transport=transport)
        await engine.open()
        assert len(await containers.list_(engine)) == 1
        async with await containers.attach(engine, "web") as joined:
            got = await joined.read()
            await joined.write(b"hi")
            await joined.write_eof()
            while data := await joined.read():
                got += data
        assert got.endswith(b"end\n")
        await engine.close()


async def test_a_pipe_where_there_are_none() -> None:
    with pytest.raises(UnsupportedEndpoint):
        await dial.connect_pipe(r"\\.\pipe\docker_engine", asyncio.Protocol)
