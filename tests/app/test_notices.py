"""Every public error has words of its own."""

from __future__ import annotations

import errno
import inspect
import os
from pathlib import Path

import pytest

from app.notices import notice_for, refusal_of, sentence
from app.wordings import has_own_words
from backend import errors
from backend.saving import NotSaved, saving
from backend.ssh import errors as ssh

SSH = [kind for _, kind in inspect.getmembers(ssh, inspect.isclass) if issubclass(kind, ssh.SshError)]
EVERY = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.BackendError)]
EVERY += SSH


def make(kind: type[errors.BackendError]) -> errors.BackendError:
    values: dict[str, object] = {
        "seconds": 5.0,
        "status": 409,
        "port": 8000,
        "line": 3,
        "running": True,
        "code": 1,
        "log": ("last words",),
        "programs": ("dockerd", "podman"),
        "tried": ("~/.ssh/id_ed25519",),
        "ways": ("publickey",),
        "looked": ("/var/run/docker.sock",),
        "kept": ("other/zz:1",),
        "removed": ("mm:2",),
        "cause": errors.Conflict(409, "in use"),
        "reasons": ("user namespaces are off",),
    }
    names = [n for n in inspect.signature(kind.__init__).parameters if n not in ("self", "args", "kwargs")]
    return kind(*(values.get(n, f"<b>{n}</b>") for n in names))


@pytest.mark.parametrize("kind", EVERY, ids=lambda k: k.__name__)
def test_every_error_has_its_own_notice(kind: type[errors.BackendError]) -> None:
    assert has_own_words(kind)
    notice = notice_for(make(kind))
    assert notice.title
    assert not notice.title.endswith(".")
    for words in (notice.title, notice.detail):
        assert not any(bad in words.lower() for bad in ("please", "oops", "successfully", "error response from daemon"))
        assert "None" not in words


@pytest.mark.parametrize("kind", EVERY, ids=lambda k: k.__name__)
def test_the_title_says_what_failed(kind: type[errors.BackendError]) -> None:
    notice = notice_for(make(kind), "Remove…", "nginx")
    assert notice.title == f"Could not remove {'other/zz:1' if kind is errors.NotAllRemoved else 'nginx'}"
    assert notice.detail


def test_the_tree_in_the_docstring_names_every_error() -> None:
    assert errors.__doc__ is not None
    assert ssh.__doc__ is not None
    for kind in EVERY:
        assert kind.__name__ in (ssh.__doc__ if kind in SSH else errors.__doc__)


def test_an_old_and_a_new_engine_are_told_apart() -> None:
    assert notice_for(errors.ApiVersionUnsupported("1.24", "1.41")).title == "This engine is too old"
    assert notice_for(errors.ApiVersionUnsupported("9.10", "1.99")).title == "This engine is too new"


@pytest.mark.parametrize(
    ("error", "title", "detail"),
    [
        (errors.TlsFilesUnusable("/c/ca.pem", "is missing"), "A file for TLS cannot be used", "/c/ca.pem is missing. "),
        (
            errors.ContextMissing("work", "DOCKER_CONTEXT chooses it"),
            "The docker context work does not exist",
            "DOCKER_CONTEXT chooses it, and there is none of that name. ",
        ),
        (
            errors.ContextBroken("/c/config.json", "is not text"),
            "Docker's own configuration cannot be used",
            "/c/config.json is not text. ",
        ),
    ],
)
def test_a_file_of_docker_is_named_and_no_address_is_blamed(
    error: errors.EndpointError, title: str, detail: str
) -> None:
    told = notice_for(error)
    assert told.title == title
    assert told.detail.startswith(detail)
    assert len(told.detail) > len(detail), "nothing is said of what to do"
    assert told.step is not None


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOENT, "The folder /none/a does not exist"),
        (errno.ENOTDIR, "/none/a is not a folder"),
        (errno.EACCES, "You may not write to /none/a"),
        (errno.EPERM, "You may not write to /none/a"),
        (errno.EROFS, "Nothing can be written to /none/a"),
        (errno.ENOSPC, "The disk is full. Make room for /none/a"),
        (errno.ENAMETOOLONG, "The name of the file is too long"),
        (errno.EIO, f"/none/a/x.log could not be written. {os.strerror(errno.EIO)}"),
    ],
)
def test_a_file_that_cannot_be_saved_is_told_without_the_one_beside_it(number: int, words: str) -> None:
    beside = [] if number in (errno.ENOSPC, errno.EIO) else ["/none/a/x.log.part"]  # A write comes without a name.
    with pytest.raises(NotSaved) as caught, saving(Path("/none/a/x.log")):
        raise OSError(number, os.strerror(number), *beside)
    told = notice_for(caught.value, "Save log", "web")
    assert told.title == "Could not save log web"
    assert told.detail.startswith(words)
    assert "part" not in told.detail


@pytest.mark.parametrize("error", [ConnectionResetError(errno.ECONNRESET, "reset"), TimeoutError(), KeyError("x")])
def test_what_is_not_of_the_disk_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, saving(Path("/none/a/x.log")):
        raise error
    assert caught.value is error


def test_foreign_words_become_a_sentence() -> None:
    assert sentence("Error response from daemon: no such\n container: x") == "No such container: x."
    assert sentence("") == ""
    assert sentence("/a/b: no space left") == "/a/b: no space left."
    shim = (
        "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process"
    )
    assert sentence(f'{shim}: exec: "x": not found: unknown') == 'Exec: "x": not found.'


@pytest.mark.parametrize(
    ("error", "title", "reason"),
    [
        (errors.BadRequest(400, "unable to find user bob"), "Could not run web", "Unable to find user bob."),
        (errors.NotFound(404, "network n not found"), "Could not run web", "Network n not found."),
        (errors.PortInUse(500, "taken", port=80), "Port 80 is taken", "Port 80 is taken"),
        (errors.NameInUse(409, "taken", name="web"), "web is taken", "web is taken"),
        (errors.BadRequest(400, ""), "The engine refused", "The engine refused"),
    ],
)
def test_a_form_is_told_the_reason_at_its_field(error: errors.BackendError, title: str, reason: str) -> None:
    notice, said = refusal_of(error, "run", "web")
    assert (notice.title, said) == (title, reason)


def test_a_pull_and_a_push_that_fail_are_called_so_once() -> None:
    error = errors.PullFailed("web:1", "manifest unknown")
    assert notice_for(error).title == "web:1 could not be pulled"
    told = notice_for(error, "Pull", "web:1")
    assert (told.title, told.detail) == ("Could not pull web:1", "Manifest unknown.")
    error.pushing = True
    assert notice_for(error).title == "web:1 could not be pushed"


def test_a_removal_that_half_succeeds_names_what_stayed_and_what_went() -> None:
    cause = errors.ImageInUse(409, "x", "", holder="a" * 64)
    told = notice_for(errors.NotAllRemoved(("c:1", "d:1"), ("a:1", "b:1"), cause), "Remove", "a:1, b:1 and 2 more")
    assert told.title == "Could not remove c:1, d:1"
    assert told.detail.startswith(f"The image is in use. {'a' * 12} was made from it.")
    assert told.detail.endswith("Removed a:1, b:1.")
    assert told.step is not None


def test_an_unknown_exception_is_told_too() -> None:
    notice = notice_for(ValueError("x"))
    assert notice.title == "Something went wrong inside Pilothouse"
    assert "ValueError" in notice.detail


def test_a_name_keeps_its_letters_behind_what_failed() -> None:
    told = notice_for(errors.NameInUse(409, "in use", "", name="web", holder=""), "Rename", "db")
    assert (told.title, told.detail.split(".")[0]) == ("Could not rename db", "web is taken")


@pytest.mark.parametrize("text", ["unix:// is followed by a path.", "tcp://127.0.0.1:1.", "/var/run/x is missing."])
def test_an_address_or_a_path_keeps_its_letters(text: str) -> None:
    assert sentence(text) == text


def test_a_call_of_the_api_is_told_by_its_noun() -> None:
    assert notice_for(errors.EngineTimeout("GET /containers/json", 30)).detail == (
        "It was asked about its containers. It had 30\u00a0s."
    )
    for error in (
        errors.EngineTimeout("GET /_ping", 5),
        errors.EngineGone("POST /build"),
        errors.ProtocolError("GET /x", "y"),
    ):
        assert "/" not in notice_for(error).detail
    assert "event stream" in notice_for(errors.EngineGone("the event stream")).detail
