"""TLS contexts: the system's certificate store, or the authority that a context or DOCKER_CERT_PATH names."""

from __future__ import annotations

import ssl

import truststore

from backend.endpoint import TlsFiles
from backend.errors import InvalidEndpoint


def context(files: TlsFiles) -> ssl.SSLContext:
    """A client's context, TLS 1.2 or newer. Raises InvalidEndpoint when a file cannot be read or is not PEM."""
    try:
        made = _context(files)
        if files.cert:
            made.load_cert_chain(files.cert, files.key or None)
    except (OSError, ssl.SSLError) as error:
        raise InvalidEndpoint(files.cert or files.ca, f"the TLS files cannot be used ({error})") from error
    return made


def _context(files: TlsFiles) -> ssl.SSLContext:
    if not files.verify:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    elif files.ca:
        made = ssl.create_default_context(cafile=files.ca)
    else:
        made = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made
