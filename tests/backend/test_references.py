"""Image references, names and registry logins."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InvalidReference
from backend.references import check_image, parse_reference
from backend.registries import HUB_KEY, authorization, authorizations

SHA = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "full", "short"),
    [
        ("nginx", "docker.io/library/nginx:latest", "nginx:latest"),
        ("nginx:1.2", "docker.io/library/nginx:1.2", "nginx:1.2"),
        ("acme/api", "docker.io/acme/api:latest", "acme/api:latest"),
        ("docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest"),
        ("index.docker.io/library/nginx", "docker.io/library/nginx:latest", "nginx:latest"),
        ("localhost/x", "localhost/x:latest", "localhost/x:latest"),
        ("host:5000/a/b:t", "host:5000/a/b:t", "host:5000/a/b:t"),
        ("[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest"),
        (f"ghcr.io/a/b@{SHA}", f"ghcr.io/a/b@{SHA}", f"ghcr.io/a/b@{SHA}"),
        (f"a:1@{SHA}", f"docker.io/library/a:1@{SHA}", f"a:1@{SHA}"),
        ("a__b/c--d", "docker.io/a__b/c--d:latest", "a__b/c--d:latest"),
    ],
)
def test_references_as_docker_reads_them(text: str, full: str, short: str) -> None:
    found = parse_reference(text).with_default_tag()
    assert (found.full, found.short) == (full, short)
    assert parse_reference(found.short).with_default_tag() == found


@pytest.mark.parametrize(
    "text",
    ["", "Nginx", "a b", "a:", ":1", "a:-x", "a/", "/a", "a//b", "a:b c", "-a", "a_", "a___b", "a@sha256:12", "a@x",
     "ab" * 32, "a:" + "x" * 129, "x" * 256, "x" * 5000, "http://a/b", "a/../b", "a\n", "<img>", "a:1:2", "ho_st.x/a"],
)  # fmt: skip
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(InvalidReference):
        parse_reference(text)


def test_ids_name_images_too() -> None:
    for id_ in (SHA, SHA[7:], SHA[7:19]):
        assert check_image(id_) == id_


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_reference(text)
    except InvalidReference:
        return
    assert parse_reference(found.short) == found


def decoded(header: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(base64.urlsafe_b64decode(header))
    return found


@pytest.mark.asyncio
async def test_logins_as_the_configuration_has_them(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    auth = base64.b64encode(b"me:pass:word").decode()
    config.write_text(
        json.dumps({"auths": {HUB_KEY: {"auth": auth}, "https://ghcr.io/v2": {"identitytoken": "t"}, "x.y": {}}})
    )
    hub = decoded(await authorization("nginx", config=config))
    assert hub == {"username": "me", "password": "pass:word", "serveraddress": HUB_KEY}
    assert decoded(await authorization("ghcr.io/a/b", config=config))["identitytoken"] == "t"
    for unknown in ("x.y/z", "quay.io/a"):
        assert await authorization(unknown, config=config) == ""
    for broken in (
        b"",
        b"{",
        b"\xff\x00",
        b"[1]",
        b'{"auths": 5}',
        b'{"auths": {"' + HUB_KEY.encode() + b'": {"auth": "!!"}}}',
    ):
        config.write_bytes(broken)
        assert await authorization("nginx", config=config) == ""
    config.unlink()
    assert await authorization("nginx", config=config) == ""


@pytest.mark.asyncio
async def test_a_helper_is_asked_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-test"
    helper.write_text(
        '#!/bin/sh\nread server\n[ "$server" = ghcr.io ] || exit 1\necho \'{"Username":"u","Secret":"s"}\'\n'
    )
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    config = tmp_path / "config.json"
    config.write_text('{"credsStore": "test", "credHelpers": {"quay.io": "../../bin/sh"}}')
    assert decoded(await authorization("ghcr.io/a", config=config))["password"] == "s"
    assert await authorization("nginx", config=config) == ""
    assert await authorization("quay.io/a", config=config) == ""


@pytest.mark.asyncio
async def test_logins_of_several_registries(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    auth = base64.b64encode(b"me:secret").decode()
    config.write_text(json.dumps({"auths": {HUB_KEY: {"auth": auth}, "ghcr.io": {"auth": auth}, "x.y": {}, "z:5": {}}}))
    found = json.loads(base64.urlsafe_b64decode(await authorizations(["ghcr.io/a", "x.y/b", "NO", ""], config=config)))
    assert found == {"ghcr.io": {"username": "me", "password": "secret", "serveraddress": "ghcr.io"}}
    found = json.loads(base64.urlsafe_b64decode(await authorizations(["nginx", "me/app", "ghcr.io/a"], config=config)))
    assert list(found) == [HUB_KEY, "ghcr.io"]
    assert found[HUB_KEY]["serveraddress"] == HUB_KEY
    for none in ([], ["x.y/b"], ["z:5/b", "NO"]):
        assert await authorizations(none, config=config) == ""
