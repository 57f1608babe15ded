"""Docker contexts as the docker command line writes them, and as nobody should."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import contexts, tls
from backend.endpoint import Tcp, UnixSocket
from backend.errors import ContextBroken, InvalidEndpoint, TlsFilesUnusable


def add(folder: Path, name: str, host: str, *, tls: tuple[str, ...] = (), skip: bool = False) -> Path:
    key = hashlib.sha256(name.encode()).hexdigest()
    place = folder / "contexts" / "meta" / key
    place.mkdir(parents=True)
    meta = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": skip}}}
    (place / "meta.json").write_text(json.dumps(meta))
    for part in tls:
        file = folder / "contexts" / "tls" / key / "docker" / f"{part}.pem"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("pem")
    return place / "meta.json"


def test_contexts_come_by_name_with_their_tls_files(tmp_path: Path) -> None:
    add(tmp_path, "work", "tcp://build.example:2376", tls=("ca", "cert", "key"))
    add(tmp_path, "colima", "unix:///home/x/.colima/docker.sock")
    colima, work = contexts.contexts(tmp_path)
    assert (colima.name, colima.endpoint) == ("colima", UnixSocket("/home/x/.colima/docker.sock"))
    assert isinstance(work.endpoint, Tcp)
    assert work.endpoint.tls is not None
    assert Path(work.endpoint.tls.ca).read_text() == "pem"
    assert work.endpoint.tls.verify


def test_skipping_verification_is_kept(tmp_path: Path) -> None:
    add(tmp_path, "lax", "tcp://build.example:2376", skip=True)
    endpoint = contexts.contexts(tmp_path)[0].endpoint
    assert isinstance(endpoint, Tcp)
    assert endpoint.tls is not None
    assert not endpoint.tls.verify


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"\xff", b'{"Name": 3}', b"[" * 100000, b'{"Name":"' + b"x" * 2_000_000]
)
def test_a_broken_file_is_named_and_the_others_live(tmp_path: Path, text: bytes) -> None:
    add(tmp_path, "good", "unix:///x.sock")
    add(tmp_path, "bad", "unix:///y.sock").write_bytes(text)
    found = contexts.contexts(tmp_path)
    assert UnixSocket("/x.sock") in [one.endpoint for one in found]
    broken = next(one for one in found if one.endpoint is None)
    assert isinstance(broken.error, ContextBroken)
    assert broken.error.text.endswith("/meta.json")


def test_a_context_of_something_else_than_docker_is_named(tmp_path: Path) -> None:
    path = add(tmp_path, "kube", "")
    (found,) = contexts.contexts(tmp_path)
    assert (found.name, found.endpoint) == ("kube", None)
    assert isinstance(found.error, ContextBroken)
    assert (found.error.text, found.error.reason) == (str(path), "names no Docker engine")


def test_an_odd_address_is_the_contexts_own_error(tmp_path: Path) -> None:
    add(tmp_path, "odd", "ssh://-oProxyCommand=x")
    assert isinstance(contexts.contexts(tmp_path)[0].error, InvalidEndpoint)


def test_the_chosen_one(tmp_path: Path) -> None:
    assert contexts.current_name(tmp_path, {}) == ""
    (tmp_path / "config.json").write_text('{"currentContext": "work", "auths": {}}')
    assert contexts.current_name(tmp_path, {}) == "work"
    assert contexts.current_name(tmp_path, {"DOCKER_CONTEXT": "other"}) == "other"


def test_a_broken_configuration_is_named(tmp_path: Path) -> None:
    assert contexts.broken_config(tmp_path) is None
    (tmp_path / "config.json").write_text('{"currentContext": ')
    assert contexts.current_name(tmp_path, {}) == ""
    error = contexts.broken_config(tmp_path)
    assert isinstance(error, ContextBroken)
    assert error.text == str(tmp_path / "config.json")


@pytest.mark.parametrize("text", [b"", b" \n", b"null", b'{"currentContext": null}'])
def test_a_configuration_that_says_nothing_is_fine(tmp_path: Path, text: bytes) -> None:
    """As for the docker command line."""
    (tmp_path / "config.json").write_bytes(text)
    assert contexts.broken_config(tmp_path) is None
    assert contexts.current_name(tmp_path, {}) == ""


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b'{"auths": {},\n"a" 5}', ": line 2 is not JSON"),
        (b'{"auths": {}', ": it ends too early"),
        (b'{"currentContext": 5}', ": look at currentContext"),
        (b"[]", ""),
    ],
)
def test_what_is_broken_is_told_in_words_for_people(tmp_path: Path, text: bytes, where: str) -> None:
    (tmp_path / "config.json").write_bytes(text)
    error = contexts.broken_config(tmp_path)
    assert isinstance(error, ContextBroken)
    assert error.reason == f"is not what docker writes there{where}"


def test_a_configuration_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "docker").write_text("no folder")
    error = contexts.broken_config(tmp_path / "docker")
    assert isinstance(error, ContextBroken)
    assert error.reason == "lies below something that is no folder"
    assert contexts.current_name(tmp_path / "docker", {}) == ""
    assert contexts.contexts(tmp_path / "docker") == []


def test_a_file_that_cannot_be_looked_at_is_named_and_the_others_live(tmp_path: Path) -> None:
    add(tmp_path, "good", "unix:///x.sock")
    meta = add(tmp_path, "bad", "unix:///y.sock")
    meta.unlink()
    meta.symlink_to("x" * 300)  # Looking at it fails for everybody, as a closed folder does for most.
    found = contexts.contexts(tmp_path)
    assert UnixSocket("/x.sock") in [one.endpoint for one in found]
    broken = next(one for one in found if one.endpoint is None)
    assert isinstance(broken.error, ContextBroken)
    assert (broken.error.text, broken.error.reason) == (str(meta), "cannot be read (File name too long)")


def test_a_tls_file_that_cannot_be_looked_at_is_not_left_out(tmp_path: Path) -> None:
    """Without it the engine would be asked in the clear."""
    add(tmp_path, "work", "tcp://build.example:2376", tls=("ca",))
    ca = next(tmp_path.rglob("ca.pem"))
    ca.unlink()
    ca.symlink_to("x" * 300)
    endpoint = contexts.contexts(tmp_path)[0].endpoint
    assert isinstance(endpoint, Tcp)
    assert endpoint.tls is not None
    assert endpoint.tls.ca == str(ca)


def test_a_folder_of_tls_files_that_cannot_be_is_no_fault_of_ours() -> None:
    environment = {"DOCKER_HOST": "tcp://h:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/" + "x" * 300}
    endpoint = contexts.from_environment(environment)
    assert isinstance(endpoint, Tcp)
    assert endpoint.tls is not None
    with pytest.raises(TlsFilesUnusable, match="File name too long"):
        tls.context(endpoint.tls)


def test_tls_without_its_files_is_an_error(tmp_path: Path) -> None:
    environment = {"DOCKER_HOST": "tcp://h:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    for missing in ("ca", "cert", "key"):
        with pytest.raises(TlsFilesUnusable) as caught:
            contexts.from_environment(environment)
        assert caught.value.text == str(tmp_path / f"{missing}.pem")
        assert caught.value.reason == "is missing, and DOCKER_TLS_VERIFY asks for TLS"
        (tmp_path / f"{missing}.pem").write_text("pem")
    endpoint = contexts.from_environment(environment)
    assert isinstance(endpoint, Tcp)
    assert endpoint.tls is not None


@given(st.binary(max_size=300))
def test_no_file_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    folder = tmp_path_factory.mktemp("docker")
    add(folder, "any", "unix:///x").write_bytes(text)
    (folder / "config.json").write_bytes(text)
    found = contexts.contexts(folder)
    assert all(one.name for one in found)
    assert isinstance(contexts.current_name(folder, {}), str)
    broken = contexts.broken_config(folder)
    says = text.strip()
    assert broken or says in (b"", b"null") or says[:1] == b"{", "what is no JSON object is a broken configuration"
