"""Publishing images: signed, laid out under the names that they have on the web, and named in release.json.

The key comes from outside of the source tree and stays there; only its public half goes into the release.
"""

from __future__ import annotations

import base64
import getpass
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from vm.guest import published, signing
from vm.guest.manifest import FILES, MANIFEST, SIGNATURE, check_folder, require
from vm.guest.published import Release, file_name

TREE = Path(__file__).absolute().parents[2]


def read_key(path: Path) -> bytes:
    """A private key as PEM without a passphrase; asks for that of one that has it. Raises ValueError, OSError."""
    if path.resolve().is_relative_to(TREE):
        raise ValueError(f"{path} lies in the source tree; keep the key elsewhere")
    content = path.read_bytes()
    try:
        load_pem_private_key(content, None)
    except TypeError:  # It has a passphrase.
        key = load_pem_private_key(content, getpass.getpass(f"Passphrase of {path}: ").encode())
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return content


def publish(folders: Sequence[Path], out: Path, base: str, key: bytes, also: Sequence[str] = ()) -> Path:
    """Fill the folder to upload, and the release's file; returns that one's path.

    `also` are public keys in base64 that go on being trusted, as the one before a change of keys.
    Raises ImageError where an image is not whole, ValueError where something contradicts.
    """
    if urlsplit(base).scheme not in ("https", "http"):
        raise ValueError(f"not an address of the web: {base}")
    public = signing.public_half(key)
    for each in also:
        if len(base64.b64decode(each, validate=True)) != len(public):
            raise ValueError(f"not a public key: {each}")
    manifests = [check_folder(folder) for folder in folders]
    if len({each.arch for each in manifests}) != len(manifests) or len({each.version for each in manifests}) != 1:
        raise ValueError("the images must be of one version, each for another architecture")
    before = msgspec.json.decode(published.RELEASE.read_bytes(), type=Release)
    require(manifests[0], manifests[0].arch, before.at_least)
    out.mkdir(parents=True, exist_ok=True)
    for folder, manifest in zip(folders, manifests, strict=True):
        text = (folder / MANIFEST).read_bytes()
        for name in FILES:
            shutil.copyfile(folder / name, out / file_name(manifest.arch, name))
        (out / file_name(manifest.arch, MANIFEST)).write_bytes(text)
        (out / file_name(manifest.arch, SIGNATURE)).write_bytes(signing.sign(text, key))
    keys = tuple(dict.fromkeys((base64.b64encode(public).decode(), *also)))
    said = msgspec.json.format(msgspec.json.encode(Release(base, keys, manifests[0].version)), indent=1)
    published.RELEASE.write_bytes(said + b"\n")
    return published.RELEASE
