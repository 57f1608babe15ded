"""Debian's archive: locking exact packages with apt, and fetching what is locked by its checksum."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from vm.guest.packages import KERNELS, LIBRARIES, PACKAGES, SUITE

HOST = "http://deb.debian.org"
# Debian keeps there for ever what its mirrors drop at the next update.
PAST = "http://snapshot.debian.org/archive"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCES = f"""\
deb [signed-by={KEYRING}] {HOST}/debian {SUITE} main
deb [signed-by={KEYRING}] {HOST}/debian {SUITE}-updates main
deb [signed-by={KEYRING}] {HOST}/debian-security {SUITE}-security main
"""
_PRINTED = re.compile(
    rf"^'{HOST}/(?P<path>\S+)' (?P<file>[^_]+)_(?P<version>[^_]+)_\S+ (?P<size>\d+) SHA256:(?P<sha256>\w+)$"
)


@dataclass(frozen=True)
class Package:
    """A locked package: where it lies in the archive and what it must be."""

    name: str
    version: str
    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Lock:
    """Every package of one image, and the date of the newest list that they were chosen from (seconds since 1970)."""

    arch: str
    date: int
    packages: tuple[Package, ...]


def lock_path(arch: str) -> Path:
    """Where the lock of an architecture lies in this package."""
    return Path(__file__).with_name(f"packages-{arch}.json")


def read_lock(arch: str) -> Lock:
    """The lock that is in the source tree."""
    read = json.loads(lock_path(arch).read_text(encoding="utf-8"))
    return Lock(read["arch"], read["date"], tuple(Package(**each) for each in read["packages"]))


def write_lock(lock: Lock) -> None:
    """Put a lock into the source tree."""
    lock_path(lock.arch).write_text(json.dumps(asdict(lock), indent=1) + "\n", encoding="utf-8")


def newest(arch: str) -> Lock:
    """Ask apt, which checks the archive's signatures, for the newest of every package."""
    with tempfile.TemporaryDirectory(prefix="pilothouse-apt-") as folder:
        root = Path(folder)
        for name in ("state/lists/partial", "cache/archives/partial", "etc"):
            (root / name).mkdir(parents=True)
        (root / "etc/sources.list").write_text(SOURCES, encoding="utf-8")
        (root / "status").touch()
        options = {
            "Dir::State": root / "state",
            "Dir::State::status": root / "status",
            "Dir::Cache": root / "cache",
            "Dir::Etc": root / "etc",
            "APT::Architecture": arch,
            "APT::Architectures": arch,
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
        }
        apt = ["apt-get", "-q", *(f"-o{key}={value}" for key, value in options.items())]
        subprocess.run([*apt, "update"], check=True, stdout=subprocess.DEVNULL)
        cache = ["apt-cache", *apt[2:], "depends", "--no-recommends", "--no-suggests", KERNELS[arch]]
        kernel = (
            subprocess.run(cache, check=True, capture_output=True, text=True).stdout.partition("Depends: ")[2].strip()
        )
        names = sorted({*PACKAGES, *LIBRARIES, "qemu-user", kernel})
        printed = subprocess.run(
            [*apt, "--print-uris", "download", *names], check=True, capture_output=True, text=True
        ).stdout
        packages = tuple(_printed(printed))
        dates = [_date(path) for path in (root / "state/lists").glob("*InRelease")]
        return Lock(arch, max(dates), tuple(sorted(packages, key=lambda package: package.name)))


def _printed(text: str) -> Iterator[Package]:
    for line in text.splitlines():
        if found := _PRINTED.match(line):
            version = urllib.parse.unquote(found["version"])
            yield Package(found["file"], version, found["path"], int(found["size"]), found["sha256"])


def _date(release: Path) -> int:
    line = next(line for line in release.read_text(encoding="utf-8").splitlines() if line.startswith("Date: "))
    return int(parsedate_to_datetime(line.removeprefix("Date: ")).timestamp())


def fetch(lock: Lock, cache: Path, say: Callable[[str], None]) -> Iterator[tuple[Package, bytes]]:
    """Every package of a lock with its content, from the cache folder or else from the archive.

    Raises LookupError where no source has the package, or none has the one that is locked.
    """
    cache.mkdir(parents=True, exist_ok=True)
    for package in lock.packages:
        kept = cache / f"{package.sha256}.deb"
        if not kept.exists() or not is_locked(package, kept.read_bytes()):
            say(f"Fetching {package.name} {package.version} ({package.size / 1e6:.1f} MB)")
            part = kept.with_suffix(".part")
            part.write_bytes(_download(package, lock.date))
            part.rename(kept)
        yield package, kept.read_bytes()


def is_locked(package: Package, content: bytes) -> bool:
    """Whether these bytes are the package that is locked."""
    return hashlib.sha256(content).hexdigest() == package.sha256


def _download(package: Package, date: int) -> bytes:
    archive, _, path = package.path.partition("/")
    stamp = f"{datetime.fromtimestamp(date, UTC):%Y%m%dT%H%M%SZ}"
    reasons = []
    for source in (f"{HOST}/{package.path}", f"{PAST}/{archive}/{stamp}/{path}"):
        try:
            with urllib.request.urlopen(source, timeout=60) as answer:  # noqa: S310
                content: bytes = answer.read()
        except (urllib.error.URLError, OSError) as error:
            reasons.append(f"{source}: {error}")
            continue
        if is_locked(package, content):
            return content
        reasons.append(f"{source}: its checksum is not the locked one")
    raise LookupError(f"{package.name} {package.version} was not found. {'; '.join(reasons)}")
