"""Building an image into a folder: kernel, initrd, root and the manifest that names them."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from vm.errors import ImageBuildFailed
from vm.guest import archive, recipe, trust
from vm.guest.manifest import MANIFEST, SCHEMA, Content, Manifest, describe, encode

REVISION = 2
"""Counts up with every change of the recipe between two locks of the packages."""
# Larger blocks and levels are smaller still, and dearer to read while the engine starts.
COMPRESSION = ("-comp", "zstd", "-Xcompression-level", "22", "-b", "256K")
HERE = Path(__file__).parent
RECIPE = (
    "applets.txt",
    "archive.py",
    "debs.py",
    "disk.py",
    "elf.py",
    "image.py",
    "modules.py",
    "packages.py",
    "recipe.py",
    "tree.py",
)


def recipe_digest(arch: str) -> str:
    """SHA-256 over everything in the source tree that an image depends on."""
    digest = hashlib.sha256()
    paths = [HERE / name for name in RECIPE] + [archive.lock_path(arch)]
    paths += sorted(path for path in recipe.FILES.rglob("*") if path.is_file())
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(HERE).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def version_of(date: int) -> str:
    """The version of an image by the date of its packages: 20261124.1."""
    return f"{datetime.fromtimestamp(date, UTC):%Y%m%d}.{REVISION}"


def build(
    arch: str, out: Path, cache: Path, say: Callable[[str], None], compression: Sequence[str] = COMPRESSION
) -> Manifest:
    """Build into a folder, without root; the manifest is written last. Raises ImageBuildFailed."""
    try:
        lock = archive.read_lock(arch)
        parts = recipe.assemble(arch, archive.fetch(lock, cache, say), say)
        out.mkdir(parents=True, exist_ok=True)
        (out / MANIFEST).unlink(missing_ok=True)
        # That of arm64 comes unpacked; QEMU unpacks it.
        packed = _packed(parts.kernel) if parts.kernel[56:60] == b"ARM\x64" else parts.kernel
        (out / "kernel").write_bytes(packed)
        (out / "initrd").write_bytes(_packed(parts.initrd.cpio()))
        say("Compressing the root")
        recipe.squash(parts.root, out / "root", lock.date, compression)
        tools = {"squashfs-tools": recipe.squash_version(), "zlib": zlib.ZLIB_RUNTIME_VERSION}
    except (OSError, ValueError, LookupError, subprocess.CalledProcessError) as error:
        raise ImageBuildFailed(str(error)) from error
    manifest = Manifest(
        schema=SCHEMA,
        arch=arch,
        version=version_of(lock.date),
        layout=recipe.LAYOUT,
        date=lock.date,
        recipe=recipe_digest(arch),
        tools=tools,
        kernel=describe(out / "kernel"),
        initrd=describe(out / "initrd"),
        root=describe(out / "root"),
        packages=tuple(Content(each.name, each.version, each.size, each.sha256) for each in lock.packages),
    )
    (out / MANIFEST).write_bytes(encode(manifest))
    trust.mark_built(out)
    return manifest


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)
