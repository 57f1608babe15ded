"""TLS contexts: the system's certificate store, or the authority that a context or DOCKER_CERT_PATH names."""

from __future__ import annotations

import ssl

import truststore

from backend.endpoint import TlsFiles, why_unread
from backend.errors import TlsFilesUnusable


def context(files: TlsFiles) -> ssl.SSLContext:
    """A client's context, TLS 1.2 or newer. Raises TlsFilesUnusable when a file cannot be read or is not PEM."""
    ca = files.ca if files.verify else ""
    for path in (ca, files.cert, files.key if files.cert else ""):
        _check_readable(path)
    try:
        made = _context(ca, files.verify)
    except (OSError, ssl.SSLError) as error:
        raise TlsFilesUnusable(ca, "holds no certificate in PEM form") from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.cert:
        _show(made, files.cert, files.key or files.cert)
    return made


def _context(ca: str, verify: bool) -> ssl.SSLContext:
    if ca:
        return ssl.create_default_context(cafile=ca)
    if verify:
        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def _check_readable(path: str) -> None:
    """OpenSSL does not say which of the files it could not read."""
    try:
        if path:
            open(path, "rb").close()
    except OSError as error:
        raise TlsFilesUnusable(path, why_unread(error)) from error


def _show(made: ssl.SSLContext, cert: str, key: str) -> None:
    """Lets the context show our certificate to the engine."""

    def locked() -> str:  # Else OpenSSL asks in a terminal, and waits there.
        raise TlsFilesUnusable(key, "is locked with a passphrase; docker takes a key without one")

    try:
        made.load_cert_chain(cert, key, locked)
    except (OSError, ssl.SSLError) as error:
        raise _unshown(error, cert, key) from error


def _unshown(error: OSError, cert: str, key: str) -> TlsFilesUnusable:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cert)
    except OSError:
        return TlsFilesUnusable(cert, "holds no certificate in PEM form")
    if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
        return TlsFilesUnusable(key, f"does not belong to {cert}")
    return TlsFilesUnusable(key, "holds no private key in PEM form")
