"""The fake engine behind TLS, with a certificate made for the test."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fakes.engine import FakeEngine


def make_keys(folder: Path) -> Path:
    """cert.pem and key.pem for 127.0.0.1 in `folder`, which is made; they are their own authority."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=engine"]
    words += ["-keyout", "key.pem", "-out", "cert.pem", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    return folder


@asynccontextmanager
async def over_tls(fake: FakeEngine, keys: Path) -> AsyncIterator[int]:
    """The port on 127.0.0.1 where it answers those who show the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "cert.pem", keys / "key.pem")
    context.load_verify_locations(keys / "cert.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = await asyncio.start_server(fake._on_client, "127.0.0.1", 0, ssl=context)
    async with fake.serve():
        yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
