"""What the guest finds on its host in the tests: a resolver, a proxy with a registry behind it, an authority."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import socket
import ssl
import tarfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from vm.making import ARCHES
from vm.qemu.host import this_host

GATEWAY = "198.51.100.2"
ARCH = ARCHES[this_host().arch]


class Server:
    """A socket on loopback and the thread that serves it."""

    def __init__(self, kind: socket.SocketKind, at: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self._socket = socket.socket(socket.AF_INET, kind)
        self._socket.bind(at)
        self._socket.settimeout(0.2)
        self.port: int = self._socket.getsockname()[1]
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []

    def spawn(self, work: Callable[[], None]) -> None:
        """Run something until it ends by itself."""
        self._threads.append(threading.Thread(target=work))
        self._threads[-1].start()

    def serve(self) -> None:
        """Answer until the end."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.spawn(self.serve)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(30)
        self._socket.close()


class Names(Server):
    """A resolver to which every name has one address."""

    def __init__(self, address: str, at: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        super().__init__(socket.SOCK_DGRAM, at)
        self.address = socket.inet_aton(address)
        self.asked: set[str] = set()

    def serve(self) -> None:
        while not self._ending.is_set():
            try:
                question, asker = self._socket.recvfrom(4096)
            except TimeoutError:
                continue
            labels, at = [], 12
            while question[at]:
                labels.append(question[at + 1 : at + 1 + question[at]].decode())
                at += 1 + question[at]
            self.asked.add(".".join(labels))
            asks_v4 = question[at + 1 : at + 3] == b"\0\1"
            record = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + self.address if asks_v4 else b""
            counts = b"\0\1" + (b"\0\1" if asks_v4 else b"\0\0") + b"\0\0\0\0"
            self._socket.sendto(question[:2] + b"\x81\x80" + counts + question[12 : at + 5] + record, asker)


class Proxy(Server):
    """An HTTP proxy that ends TLS itself, as companies do, with a certificate of its own authority."""

    def __init__(self, folder: Path, registry: str) -> None:
        super().__init__(socket.SOCK_STREAM)
        self._socket.listen()
        authority, key = certificate("Company Root")
        own, own_key = certificate(registry, signed_by=(authority, key))
        self.authority = authority.decode()
        self.connects: set[str] = set()
        self.asked: list[str] = []
        (folder / "own.pem").write_bytes(own + own_key)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(folder / "own.pem")

    def serve(self) -> None:
        while not self._ending.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            self.spawn(lambda connection=connection: self._answer(connection))  # type: ignore[misc]

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(20)
            asked = b""
            while b"\r\n\r\n" not in asked and (piece := connection.recv(4096)):
                asked += piece
            self.connects.add(asked.split()[1].decode())
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            try:
                with self._tls.wrap_socket(connection, server_side=True) as inner:
                    self.asked.append(inner.recv(4096).decode().partition("\r\n")[0])
                    verb, path, _ = self.asked[-1].split()
                    status, kind, body = self.said_to(path)
                    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                    head += f"Docker-Content-Digest: {digest(body)}\r\nConnection: close\r\n\r\n"
                    inner.sendall(head.encode() + (b"" if verb == "HEAD" else body))
            except OSError:
                return  # The guest does not trust it; the test sees that nothing was asked.

    def said_to(self, path: str) -> tuple[str, str, bytes]:
        """What the registry behind it answers: status, type of content, content. It has nothing."""
        del path
        body = b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'
        return "404 Not Found", "application/json", body


class Registry(Proxy):
    """The registry has one image: a layer with one file, under every name and tag."""

    KIND = "application/vnd.docker.distribution.manifest.v2+json"

    def __init__(self, folder: Path, registry: str) -> None:
        super().__init__(folder, registry)
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as layer:
            layer.addfile(tarfile.TarInfo("from-the-registry"))
        packed = gzip.compress(content.getvalue())
        system: dict[str, object] = {"architecture": ARCH, "os": "linux", "config": {"Cmd": ["/none"]}}
        rootfs = {"type": "layers", "diff_ids": [digest(content.getvalue())]}
        config = json.dumps({**system, "rootfs": rootfs}).encode()
        kinds = {"application/vnd.docker.container.image.v1+json": config}
        kinds["application/vnd.docker.image.rootfs.diff.tar.gzip"] = packed
        about = [{"mediaType": kind, "size": len(part), "digest": digest(part)} for kind, part in kinds.items()]
        manifest = {"schemaVersion": 2, "mediaType": self.KIND, "config": about[0], "layers": about[1:]}
        self._blobs = {digest(part): part for part in (config, packed)}
        self._manifest = json.dumps(manifest).encode()

    def said_to(self, path: str) -> tuple[str, str, bytes]:
        if "/manifests/" in path:
            return "200 OK", self.KIND, self._manifest
        if path.rpartition("/")[2] in self._blobs:
            return "200 OK", "application/octet-stream", self._blobs[path.rpartition("/")[2]]
        return "200 OK", "application/json", b"{}"


def digest(content: bytes) -> str:
    """As registries name content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def certificate(name: str, signed_by: tuple[bytes, bytes] | None = None) -> tuple[bytes, bytes]:
    """A certificate and its key (PEM): an authority of its own, or one for a name, signed by an authority."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))
    builder = builder.add_extension(x509.BasicConstraints(signed_by is None, None), critical=True)
    if signed_by is None:
        made = builder.issuer_name(subject).sign(key, SHA256())
    else:
        issuer = x509.load_pem_x509_certificate(signed_by[0])
        signing_key = load_pem_private_key(signed_by[1], None)
        assert isinstance(signing_key, ec.EllipticCurvePrivateKey)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        made = builder.issuer_name(issuer.subject).sign(signing_key, SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM), private
