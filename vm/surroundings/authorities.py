"""The certificate authorities that this computer trusts beside those that every guest knows (Mozilla's)."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import certifi

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Of Debian, Fedora, SUSE and Alpine; the first that is there."""
KEYCHAINS = ("/Library/Keychains/System.keychain", "~/Library/Keychains/login.keychain-db")
PROGRAM_SECONDS = 20.0
MOST = 200
MOST_BYTES = 1 << 20
"""More than any company has; what is beyond is left out."""
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"


class Authorities(NamedTuple):
    """PEM as it is handed to the guest, and how many they are."""

    pem: str = ""
    number: int = 0


class AuthorityReader:
    """Reads them again and again; only files that changed are read anew."""

    def __init__(self) -> None:
        self._seen: object = None
        self._found = Authorities()
        self._usual: frozenset[bytes] = frozenset()

    def read(self) -> Authorities:
        """Those of this moment."""
        files = _files()
        seen = tuple(_stamp(path) for path in files)
        if seen != self._seen or not files:
            self._usual = self._usual or frozenset(map(_digest, _certificates(Path(certifi.where()))))
            self._found = chosen(_trusted(files), self._usual)
            self._seen = seen
        return self._found


def chosen(trusted: Iterable[bytes], usual: frozenset[bytes]) -> Authorities:
    """From certificates (DER) to what is handed over, in an order that only changes with them."""
    by_digest = {_digest(each): each for each in trusted}
    every = sorted(by_digest.keys() - usual)[:MOST]
    pem, number = "", 0
    for digest in every:
        one = ssl.DER_cert_to_PEM_cert(by_digest[digest])
        if len(pem) + len(one) > MOST_BYTES:
            break
        pem, number = pem + one, number + 1
    return Authorities(pem, number)


def _digest(certificate: bytes) -> bytes:
    return sha256(certificate).digest()


def _certificates(path: Path) -> Iterable[bytes]:
    try:
        content = path.read_bytes()
    except OSError:
        return
    for found in _PEM.findall(content):
        with suppress(ValueError):
            yield ssl.PEM_cert_to_DER_cert(found.decode("ascii"))


def _stamp(path: Path) -> tuple[str, int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, 0, 0
    return str(path), found.st_mtime_ns, found.st_size, found.st_ino


if sys.platform == "win32":

    def _files() -> tuple[Path, ...]:
        return ()

    def _trusted(files: Iterable[Path]) -> Iterable[bytes]:
        del files
        refused = {content for content, _, _ in ssl.enum_certificates("Disallowed")}
        for content, kind, trust in ssl.enum_certificates("ROOT"):
            serves = trust if isinstance(trust, bool) else SERVER_AUTH in trust
            if kind == "x509_asn" and serves and content not in refused:
                yield content

elif sys.platform == "darwin":

    def _files() -> tuple[Path, ...]:
        return tuple(Path(os.path.expanduser(each)) for each in KEYCHAINS)

    def _trusted(files: Iterable[Path]) -> Iterable[bytes]:
        """What a person or a company put into a keychain, where the system says that it trusts it."""
        with tempfile.TemporaryDirectory() as folder:
            for number, file in enumerate(files):
                said = _run("security", "find-certificate", "-a", "-p", str(file))
                for at, content in enumerate(_PEM.findall(said or b"")[:MOST]):
                    one = Path(folder) / f"{number}-{at}.pem"
                    one.write_bytes(content + b"\n")
                    if _run("security", "verify-cert", "-q", "-l", "-L", "-p", "basic", "-c", str(one)) is not None:
                        with suppress(ValueError):
                            yield ssl.PEM_cert_to_DER_cert(content.decode("ascii"))

    def _run(*argv: str) -> bytes | None:
        with suppress(OSError, subprocess.SubprocessError):
            return subprocess.run(argv, capture_output=True, timeout=PROGRAM_SECONDS, check=True).stdout
        return None

else:

    def _files() -> tuple[Path, ...]:
        """What OpenSSL's own variable names, else the system's bundle."""
        if named := os.environ.get("SSL_CERT_FILE"):
            return (Path(named),)
        return tuple(path for path in map(Path, BUNDLES) if path.exists())[:1]

    def _trusted(files: Iterable[Path]) -> Iterable[bytes]:
        for file in files:
            yield from _certificates(file)
