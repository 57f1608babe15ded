"""The recipe's command line: `python -m vm.guest build|lock|sign|check|publish`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from vm.errors import ImageError
from vm.guest import archive, image, publishing, signing
from vm.guest.manifest import FILES, MANIFEST, SIGNATURE, check_folder
from vm.guest.packages import KERNELS
from vm.guest.publishing import read_key

CACHE = Path(os.environ.get("XDG_CACHE_HOME", "") or Path.home() / ".cache") / "pilothouse-guest"


def main(words: list[str] | None = None) -> int:
    """Run one command; 0 where it did what was asked."""
    parser = argparse.ArgumentParser(prog="python -m vm.guest", description="The image of the Pilothouse machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build an image into a folder; needs no root")
    build.add_argument("--arch", choices=sorted(KERNELS), required=True)
    build.add_argument("--out", type=Path, required=True)
    build.add_argument("--cache", type=Path, default=CACHE / "packages", help="where fetched packages are kept")
    lock = commands.add_parser("lock", help="lock the newest packages of Debian (needs apt)")
    lock.add_argument("--arch", choices=sorted(KERNELS), action="append")
    sign = commands.add_parser("sign", help="sign the manifest of an image")
    sign.add_argument("--key", type=Path, required=True, help="an ed25519 private key (PEM)")
    sign.add_argument("folder", type=Path)
    publish = commands.add_parser("publish", help="sign images, lay them out for upload, and say so in release.json")
    publish.add_argument("--key", type=Path, required=True, help="an ed25519 private key (PEM), kept elsewhere")
    publish.add_argument("--base", required=True, help="the address that the files will have, without their names")
    publish.add_argument("--out", type=Path, required=True, help="the folder to upload")
    publish.add_argument("--also", action="append", default=[], metavar="KEY", help="another public key to trust")
    publish.add_argument("folder", type=Path, nargs="+", help="an image; one for each architecture")
    check = commands.add_parser("check", help="compare an image with its manifest")
    check.add_argument("folder", type=Path)
    given = parser.parse_args(words)
    try:
        _run(given)
    except (ImageError, OSError, ValueError) as error:
        _say(str(error))
        return 1
    return 0


def _run(given: argparse.Namespace) -> None:
    if given.command == "lock":
        for arch in given.arch or sorted(KERNELS):
            archive.write_lock(archive.newest(arch))
    elif given.command == "sign":
        text = (given.folder / MANIFEST).read_bytes()
        (given.folder / SIGNATURE).write_bytes(signing.sign(text, read_key(given.key)))
    elif given.command == "publish":
        said = publishing.publish(given.folder, given.out, given.base, read_key(given.key), given.also)
        _say(f"{given.out} holds what belongs at {given.base}. {said} says so; build the release with it.")
    else:
        if given.command == "build":
            folder, manifest = given.out, image.build(given.arch, given.out, given.cache, _say)
        else:
            folder, manifest = given.folder, check_folder(given.folder)
        sizes = ", ".join(f"{name} {manifest.file(name).size / 1e6:.1f} MB" for name in FILES)
        whole = sum(manifest.file(name).size for name in FILES) / 1e6
        _say(f"{folder}: {manifest.arch} {manifest.version}, {whole:.1f} MB ({sizes})")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
