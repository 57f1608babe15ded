"""A small published image: three files, a manifest and its signature, made with a key that lives for one test."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from vm.guest import signing
from vm.guest.manifest import FILES, MANIFEST, SCHEMA, SIGNATURE, Content, File, Manifest, encode


def throw_away_key() -> tuple[bytes, bytes]:
    """A private key (PEM) and its public half (32 bytes)."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes_raw()


PRIVATE, PUBLIC = throw_away_key()
CONTENT = {name: name.encode() * 20_000 for name in FILES}


def manifest(version: str = "20260102.1", arch: str = "amd64") -> Manifest:
    """The manifest of CONTENT."""
    files = {name: File(len(content), hashlib.sha256(content).hexdigest()) for name, content in CONTENT.items()}
    package = Content("busybox-static", "1:1.37.0-6", 955316, "5" * 64)
    return Manifest(
        schema=SCHEMA,
        arch=arch,
        version=version,
        layout=1,
        date=1767312000,
        recipe="a" * 64,
        tools={"squashfs-tools": "4.5.1"},
        packages=(package,),
        **files,
    )


@dataclass
class Published:
    """A source that counts what is asked of it and misbehaves on request."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)
    ends_after: list[int] = field(default_factory=list)  # bytes of each next answer about a file of the image
    fails: bool = False
    spoilt: int = 0  # answers from the beginning of the root that hold other bytes
    before_piece: Callable[[int], None] = lambda _: None

    async def __call__(self, name: str, start: int) -> AsyncGenerator[bytes, None]:
        self.asked.append((name, start))
        if name not in self.files:
            raise FileNotFoundError(name)
        content = self.files[name]
        if name in FILES and self.ends_after:
            content = content[: start + self.ends_after.pop(0)]
        if name == "root" and start == 0 and self.spoilt:
            self.spoilt -= 1
            content = b"<html>" + content[6:]
        for at in range(start, len(content), 10_000):
            self.before_piece(at)
            yield content[at : at + 10_000]
        if self.fails and len(content) < len(self.files[name]):
            raise ConnectionResetError("reset by peer")


def published(described: Manifest | None = None, private: bytes = PRIVATE) -> Published:
    """The image as it is published."""
    text = encode(described or manifest())
    return Published({**CONTENT, MANIFEST: text, SIGNATURE: signing.sign(text, private)})
