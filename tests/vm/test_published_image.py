"""A published image, from a release's layout over HTTP to a machine: resumed, checked, and refused where it must be."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.fakes.webserver import WebServer
from tests.vm import test_machine as base
from tests.vm.guest.images import CONTENT, PRIVATE, PUBLIC, manifest, throw_away_key
from vm import images
from vm.errors import (
    ImageDamaged,
    ImageError,
    ImageFetchFailed,
    ImageMissing,
    ImageTooOld,
    ImageUnsigned,
    MachineStartFailed,
)
from vm.errors import ImageWrongArchitecture as WrongArchitecture
from vm.guest import fetching, published, signing
from vm.guest.__main__ import main as guest
from vm.guest.manifest import FILES, MANIFEST, SIGNATURE, Manifest, encode
from vm.images import ARCHES
from vm.machine import Machine
from vm.qemu.host import this_host

pytestmark = [pytest.mark.asyncio, base.pytestmark]
home, machine, install = base.home, base.machine, base.install
WHOLE = sum(map(len, CONTENT.values()))


def described(version: str = "20260102.1", arch: str = "") -> Manifest:
    return manifest(version, arch or ARCHES[this_host().arch])


@pytest.fixture
def web(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """What `publish` laid out of an image, and a release that names it."""
    built, out, key, said = home / "tobe", home / "upload", home / "key.pem", home / "release.json"
    built.mkdir()
    for name, content in CONTENT.items():
        (built / name).write_bytes(content)
    (built / MANIFEST).write_bytes(encode(described()))
    key.write_bytes(PRIVATE)
    said.write_text("{}")
    monkeypatch.setattr(published, "RELEASE", said)
    monkeypatch.setattr(images, "BUILT", home / "nothing")
    monkeypatch.setattr(fetching, "PAUSE", 0.0)
    monkeypatch.delenv(published.MIRROR, raising=False)
    with WebServer({}) as web:
        words = ["publish", "--key", str(key), "--base", web.address, "--out", str(out), str(built)]
        assert guest(words) == 0
        web.files.update({path.name: path.read_bytes() for path in out.iterdir()})
        yield web


def name(file: str) -> str:
    return published.file_name(ARCHES[this_host().arch], file)


def publish(web: WebServer, changed: Manifest, private: bytes = PRIVATE) -> None:
    text = encode(changed)
    web.files[name(MANIFEST)], web.files[name(SIGNATURE)] = text, signing.sign(text, private)


async def test_a_machine_is_made_of_what_a_release_published(machine: Machine, install: object, web: WebServer) -> None:
    del install
    parts: list[str] = []
    seen: list[tuple[int, int]] = []
    await machine.create(base.SMALL, None, parts.append, lambda *numbers: seen.append(numbers))
    assert parts == ["fetch", "image", "keys", "disk"]
    assert seen[-1] == (WHOLE, WHOLE)
    assert seen == sorted(seen)
    report = await machine.inspect()
    assert (report.state, report.image, report.rollback) == ("stopped", "20260102.1", "")
    assert {file: (machine.paths.image / file).read_bytes() for file in FILES} == CONTENT
    assert images.trusted_image(machine.paths.image) == described()
    assert [each.name for each in machine.paths.images.iterdir() if each.is_dir()] == [machine.paths.image.name]


@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "a server without ranges"])
async def test_a_download_that_is_cut_goes_on_where_it_was(
    machine: Machine, install: object, web: WebServer, ranges: bool
) -> None:
    del install
    web.cuts, web.ranges = [30_000, 60_000, 0, 0], ranges
    await machine.create(base.SMALL)
    kernel = [asked for file, asked in web.asked if file == name("kernel")]
    assert kernel[:2] == ["", "bytes=30000-"]
    assert (machine.paths.image / "kernel").read_bytes() == CONTENT["kernel"]


async def test_one_that_fails_is_gone_on_with_by_the_next_try(
    machine: Machine, install: object, web: WebServer
) -> None:
    del install
    web.cuts = [50_000, 0, 0, 0]
    with pytest.raises(ImageFetchFailed):
        await machine.create(base.SMALL)
    assert not machine.created
    web.asked.clear()
    await machine.fetch()
    assert (name("kernel"), "bytes=50000-") in web.asked
    web.asked.clear()
    await machine.create(base.SMALL)
    assert [file for file, _ in web.asked] == [name(MANIFEST), name(SIGNATURE)]
    assert machine.created


async def test_altered_bytes_are_deleted_and_fetched_again_then_refused(
    machine: Machine, install: object, web: WebServer
) -> None:
    del install
    web.files[name("root")] = b"x" + CONTENT["root"][1:]
    with pytest.raises(ImageDamaged) as caught:
        await machine.create(base.SMALL)
    assert caught.value.name == "root"
    assert [file for file, _ in web.asked].count(name("root")) == 2
    assert not list(machine.paths.images.glob("*/root*"))
    assert not machine.created
    web.files[name("root")] = CONTENT["root"]
    await machine.create(base.SMALL)
    assert machine.created


def _unsigned(web: WebServer) -> None:
    del web.files[name(SIGNATURE)]


def _wrong_key(web: WebServer) -> None:
    publish(web, described(), throw_away_key()[0])


def _older(web: WebServer) -> None:
    publish(web, described("20260101.9"))


def _altered(web: WebServer) -> None:
    web.files[name(MANIFEST)] = web.files[name(MANIFEST)].replace(b"20260102", b"20990102")


def _other_processor(web: WebServer) -> None:
    publish(web, described(arch="mips64"))


def _gone(web: WebServer) -> None:
    web.files.clear()


def _broken(web: WebServer) -> None:
    web.status = 503


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (_unsigned, ImageUnsigned),
        (_wrong_key, ImageUnsigned),
        (_altered, ImageUnsigned),
        (_older, ImageTooOld),
        (_other_processor, WrongArchitecture),
        (_gone, ImageFetchFailed),
        (_broken, ImageFetchFailed),
    ],
)
async def test_what_is_not_the_releases_own_is_refused_before_it_is_fetched(
    machine: Machine, install: object, web: WebServer, spoil: object, kind: type[ImageError]
) -> None:
    del install
    spoil(web)  # type: ignore[operator]
    with pytest.raises(kind):
        await machine.create(base.SMALL)
    assert not machine.created
    assert not {file for file, _ in web.asked} & {name(file) for file in FILES}


async def test_a_place_that_moved_is_followed_and_a_mirror_is_asked_instead(
    machine: Machine, install: object, web: WebServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del install
    said = json.loads((home / "release.json").read_text())
    assert said["at_least"] == "20260102.1"
    assert base64.b64decode(said["keys"][0]) == PUBLIC
    (home / "release.json").write_text(json.dumps({**said, "base": "https://gone.invalid/images"}))
    web.moved = "/elsewhere"
    monkeypatch.setenv(published.MIRROR, web.address)
    await machine.create(base.SMALL)
    assert machine.created


async def test_a_release_without_a_place_says_how_to_build_one(
    machine: Machine, install: object, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del install
    monkeypatch.setattr(images, "BUILT", home / "nothing")
    monkeypatch.delenv(published.MIRROR, raising=False)
    for ask in (machine.create, machine.fetch):
        with pytest.raises(ImageMissing):
            await ask()


async def test_a_signed_image_that_lost_its_signature_or_its_key_is_not_used(
    machine: Machine, install: object, web: WebServer, home: Path
) -> None:
    del install
    await machine.create(base.SMALL)
    said = json.loads((home / "release.json").read_text())
    other = base64.b64encode(throw_away_key()[1]).decode()
    (home / "release.json").write_text(json.dumps({**said, "keys": [other, *said["keys"]]}))
    images.trusted_image(machine.paths.image)
    (home / "release.json").write_text(json.dumps({**said, "keys": [other]}))
    with pytest.raises(ImageUnsigned):
        images.trusted_image(machine.paths.image)
    (machine.paths.image / SIGNATURE).unlink()
    with pytest.raises(MachineStartFailed) as caught:
        await machine.start()
    assert (caught.value.step, caught.value.kind) == ("image", "ImageUnsigned")


async def test_publishing_refuses_what_contradicts(web: WebServer, home: Path) -> None:
    words = ["publish", "--base", web.address, "--out", str(home / "again")]
    older = home / "older"
    older.mkdir()
    for file, content in CONTENT.items():
        (older / file).write_bytes(content)
    (older / MANIFEST).write_bytes(encode(described("20250101.1")))
    assert guest([*words, "--key", str(home / "key.pem"), str(older)]) == 1
    assert not (home / "again").exists()
    tree = Path(published.__file__).with_name("key.pem")
    assert guest([*words, "--key", str(tree), str(home / "tobe")]) == 1
    (home / "rsa").write_text("no key")
    assert guest([*words, "--key", str(home / "rsa"), str(home / "tobe")]) == 1
    assert guest([*words[:1], "--base", "ftp://x", *words[3:], "--key", str(home / "key.pem"), str(home / "tobe")]) == 1
    assert msgspec.json.decode((home / "release.json").read_bytes())["base"] == web.address
