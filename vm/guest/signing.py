"""Signatures of manifests: made with an ed25519 key from outside of the source tree, checked with its public half.

A signature file holds the 64 bytes in base64. No key is kept here: who signs names a file, who checks brings the key.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from contextlib import suppress

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from vm.errors import ImageUnsigned

# Nothing else that the same key may sign one day can pass for a manifest.
_CONTEXT = b"pilothouse guest image manifest\n"


def sign(manifest: bytes, private_key: bytes) -> bytes:
    """The signature file for a manifest's text; `private_key` is PEM. Raises ValueError where it is no ed25519 key."""
    return base64.b64encode(_loaded(private_key).sign(_CONTEXT + manifest)) + b"\n"


def public_half(private_key: bytes) -> bytes:
    """The 32 bytes by which what this key signed is known. Raises ValueError where it is no ed25519 key."""
    return _loaded(private_key).public_key().public_bytes_raw()


def _loaded(private_key: bytes) -> Ed25519PrivateKey:
    key = load_pem_private_key(private_key, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("not an ed25519 key")
    return key


def verify(manifest: bytes, signature: bytes, public_keys: Sequence[bytes]) -> None:
    """Whether one of these keys (32 bytes each) signed this text. Raises ImageUnsigned."""
    if not signature.strip():
        raise ImageUnsigned("there is no signature")
    try:
        raw = base64.b64decode(signature.strip(), validate=True)
    except binascii.Error as error:
        raise ImageUnsigned("the signature is not readable") from error
    for key in public_keys:
        with suppress(InvalidSignature):
            return Ed25519PublicKey.from_public_bytes(key).verify(raw, _CONTEXT + manifest)
    raise ImageUnsigned("the signature was not made by a key that is trusted over this manifest")
