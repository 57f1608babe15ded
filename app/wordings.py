"""The sentences for every error, by its type; app.notices makes notices of them when there is one to tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from app.filewordings import CHOOSE, FILE_WORDINGS
from app.machinewordings import MACHINE_WORDINGS
from app.notices import Notice, Step, sentence
from app.presentation.builds import build_words
from app.presentation.units import joined
from app.qemuwordings import QEMU_WORDINGS
from app.sshwordings import SSH_WORDINGS
from backend import errors as e

E = TypeVar("E", bound=BaseException)
Wording = Callable[[Any], Notice]

RETRY = Step("Try now", "retry")
_WORDINGS: dict[type[BaseException], Wording] = {**FILE_WORDINGS, **SSH_WORDINGS, **QEMU_WORDINGS, **MACHINE_WORDINGS}
_PLAIN = frozenset({e.ApiError, e.BadRequest, e.Conflict, e.EngineFault, e.PullFailed, e.NotAllRemoved})


def _words(*kinds: type[E]) -> Callable[[Callable[[E], Notice]], Callable[[E], Notice]]:
    def register(wording: Callable[[E], Notice]) -> Callable[[E], Notice]:
        for kind in kinds:
            _WORDINGS[kind] = wording
        return wording

    return register


def has_own_words(kind: type[BaseException]) -> bool:
    """Whether this very type has a wording, not just a parent of it."""
    return kind in _WORDINGS


def wording_of(error: BaseException) -> Notice:
    """The notice for an error, whatever was being done."""
    wording = next(_WORDINGS[t] for t in type(error).__mro__ if t in _WORDINGS)
    return wording(error)


def is_plain(error: BaseException) -> bool:
    """Whether its title says no more than that the engine refused."""
    return type(error) in _PLAIN


def says_little(error: BaseException) -> bool:
    """Whether its title says nothing of what was refused, to somebody who looks at what he typed."""
    return is_plain(error) or type(error) is e.NotFound


def subject_of(error: BaseException) -> str:
    """What could not be done, where the error knows that it was not all that was wanted; else empty."""
    return joined(error.kept) if isinstance(error, e.NotAllRemoved) else ""


def _asked(what: str) -> str:
    """What the engine was asked, for people: a call of its API by the noun that it is about."""
    verb, _, path = what.partition(" ")
    if not verb.isupper() or not path.startswith("/"):
        return sentence(what)
    noun = path.strip("/").partition("/")[0].strip("_")
    return f"It was asked about its {noun}." if noun in ("containers", "images", "volumes", "networks") else ""


@_words(BaseException)
def _unknown(error: BaseException) -> Notice:
    return Notice(
        "Something went wrong inside Pilothouse",
        sentence(f"{type(error).__name__}: {error}"),
        Step("Show the log", "show-log"),
    )


@_words(e.BackendError)
def _backend(error: e.BackendError) -> Notice:
    return Notice("The engine could not do that", sentence(str(error)))


@_words(e.EndpointError, e.InvalidEndpoint)
def _endpoint(error: e.EndpointError) -> Notice:
    return Notice(f"{error.text} is not an address of an engine", sentence(error.reason), CHOOSE)


@_words(e.UnsupportedEndpoint)
def _unsupported(error: e.UnsupportedEndpoint) -> Notice:
    return Notice(f"{error.text} cannot be used", sentence(error.reason), CHOOSE)


@_words(e.EngineUnreachable)
def _unreachable(error: e.EngineUnreachable) -> Notice:
    return Notice(
        "The engine does not answer", f"Nothing answers at {error.where}. {sentence(error.reason)}".strip(), RETRY
    )


@_words(e.TlsRefused)
def _tls(error: e.TlsRefused) -> Notice:
    where = error.where
    if error.fault is e.TlsFault.OUR_CERTIFICATE:
        detail = (
            f"{where} lets in who shows a certificate that it knows ({error.reason}). Look at cert.pem and key.pem."
        )
        return Notice("The engine does not accept your certificate", detail, CHOOSE)
    if error.fault is e.TlsFault.NO_TLS:
        detail = f"{where} answers without TLS. Connect to it without certificates, or let the engine use TLS."
        return Notice("The engine speaks no TLS", detail, CHOOSE)
    if error.fault is e.TlsFault.TLS_WANTED:
        detail = f"{where} answers over TLS only. Give its certificates: ca.pem, and cert.pem with key.pem."
        return Notice("The engine wants TLS", detail, CHOOSE)
    detail = f"{where} answers, but no safe connection could be made: {error.reason}. Look at its TLS files."
    return Notice("The engine's certificate is not accepted", detail, CHOOSE)


@_words(e.SocketMissing)
def _missing(error: e.SocketMissing) -> Notice:
    return Notice("No engine is running there", f"{error.where} is missing.", CHOOSE)


@_words(e.SocketDenied)
def _denied(error: e.SocketDenied) -> Notice:
    who = f" Members of the group {error.group} may; that group equals root." if error.group else ""
    return Notice(
        "You may not use this engine",
        f"The system does not let you open {error.where}.{who} The embedded engine needs no group.",
        Step("Use the embedded engine", "start-embedded"),
    )


@_words(e.SocketUntrusted)
def _untrusted(error: e.SocketUntrusted) -> Notice:
    return Notice(
        "This engine belongs to somebody else",
        f"{error.where} belongs to {error.owner or 'another user'}. "
        "Whoever owns an engine sees all that you do with it.",
        CHOOSE,
        "warning",
    )


@_words(e.EngineTimeout)
def _timeout(error: e.EngineTimeout) -> Notice:
    return Notice(
        "The engine did not answer in time", f"{_asked(error.what)} It had {error.seconds:g}\u00a0s.".strip(), RETRY
    )


@_words(e.EngineGone)
def _gone(error: e.EngineGone) -> Notice:
    return Notice("The connection to the engine broke", f"{_asked(error.what)} It broke in the middle.".strip(), RETRY)


@_words(e.ProtocolError)
def _protocol(error: e.ProtocolError) -> Notice:
    return Notice(
        "The engine answered something unknown",
        f"{_asked(error.what)} {sentence(error.reason)} Is this address really a container engine's?",
        CHOOSE,
    )


@_words(e.AnswerTooLarge)
def _too_large(error: e.AnswerTooLarge) -> Notice:
    return Notice("The engine's answer was too large", f"{_asked(error.what)} {sentence(error.reason)}".strip())


@_words(e.ApiVersionUnsupported)
def _version(error: e.ApiVersionUnsupported) -> Notice:
    return Notice(
        "This engine is too old" if _older(error.offered, error.needed) else "This engine is too new",
        f"It speaks API {error.offered}; Pilothouse needs {error.needed}. Docker Engine 20.10 and newer will do.",
        CHOOSE,
    )


def _older(offered: str, needed: str) -> bool:
    def parts(text: str) -> tuple[int, ...]:
        return tuple(int(p) for p in text.split(".") if p.isdigit())

    return parts(offered) < parts(needed)


@_words(e.FeatureMissing)
def _feature(error: e.FeatureMissing) -> Notice:
    return Notice(f"This engine has no {error.feature}", "Another engine, or a newer one, may have it.", CHOOSE, "info")


@_words(e.ApiError, e.BadRequest, e.Conflict, e.EngineFault)
def _api(error: e.ApiError) -> Notice:
    return Notice("The engine refused", sentence(error.message))


@_words(e.Unauthorized)
def _unauthorized(error: e.Unauthorized) -> Notice:
    return Notice("A login is needed", sentence(error.message))


@_words(e.NotFound)
def _not_found(error: e.NotFound) -> Notice:
    return Notice("It is not there any more", sentence(error.message), kind="warning")


@_words(e.NameInUse)
def _name(error: e.NameInUse) -> Notice:
    name = error.name or "That name"
    return Notice(
        f"{name} is taken", "Another container has that name. Choose another one, or rename the other container."
    )


@_words(e.ImageInUse)
def _image_in_use(error: e.ImageInUse) -> Notice:
    state = "is running from it" if error.running else "was made from it"
    holder = error.name or error.holder[:12] or "A container"
    return Notice(
        "The image is in use",
        f"{holder} {state}. Remove the container first.",
        Step("Show containers", "show-containers"),
    )


@_words(e.PortInUse)
def _port(error: e.PortInUse) -> Notice:
    what = f"Port {error.port}" if error.port else "A port"
    return Notice(
        f"{what} is taken", "Another program or container listens there. Publish another port, or stop the other one."
    )


@_words(e.DiskFull)
def _disk(_error: e.DiskFull) -> Notice:
    return Notice(
        "The engine's disk is full",
        "Nothing more can be written where the engine keeps its data. Remove images or containers that nobody uses.",
        Step("Clean up…", "clean-up"),
    )


@_words(e.PullFailed)
def _pull(error: e.PullFailed) -> Notice:
    if "no space left on device" in error.message.lower():
        return _disk(e.DiskFull(500, error.message))
    return Notice(f"{error.reference} could not be {'pushed' if error.pushing else 'pulled'}", sentence(error.message))


@_words(e.RateLimited)
def _rate(error: e.RateLimited) -> Notice:
    return Notice(
        "The registry asks to wait",
        f"It limits how often {error.reference} may be pulled. Try again later, or sign in there.",
    )


@_words(e.RegistryDenied)
def _registry_denied(error: e.RegistryDenied) -> Notice:
    return Notice(
        f"{error.reference} was not found, or needs a login",
        "Registries do not tell which of the two. Check the spelling; "
        "for a private repository sign in with docker login.",
    )


@_words(e.RegistryUnreachable)
def _registry_unreachable(error: e.RegistryUnreachable) -> Notice:
    return Notice(
        "The registry does not answer",
        f"The engine could not reach the registry of {error.reference}. {sentence(error.message)}",
    )


@_words(e.BuildError)
def _build(error: e.BuildError) -> Notice:
    return Notice("The build could not go on", sentence(str(error)))


@_words(e.BuildFailed)
def _build_failed(error: e.BuildFailed) -> Notice:
    where = f" at line {error.line} of the Dockerfile" if error.line else ""
    return Notice(
        f"The build failed{where}", sentence(build_words(error.message)), Step("Show the build", "show-builds")
    )


@_words(e.ContextUnusable)
def _context(error: e.ContextUnusable) -> Notice:
    return Notice("The build context cannot be sent", f"{error.path}: {sentence(error.reason)}")


@_words(e.DockerfileMissing)
def _no_dockerfile(error: e.DockerfileMissing) -> Notice:
    return Notice("There is no Dockerfile", f"{error.path} does not exist. Choose the file, or another folder.")


@_words(e.DockerfileInvalid)
def _bad_dockerfile(error: e.DockerfileInvalid) -> Notice:
    where = f"Line {error.line}: " if error.line else ""
    return Notice("The Dockerfile has an error", f"{where}{sentence(error.message)}")


@_words(e.BuilderMissing)
def _no_builder(_error: e.BuilderMissing) -> Notice:
    return Notice(
        "BuildKit is not available",
        "The docker-buildx plugin was not found. Install it, or build with the classic builder.",
    )


@_words(e.InvalidReference)
def _reference(error: e.InvalidReference) -> Notice:
    return Notice(f"{error.text or 'Nothing'} does not name an image", sentence(error.reason))


@_words(e.InvalidName)
def _invalid_name(error: e.InvalidName) -> Notice:
    return Notice(f"{error.text or 'Nothing'} cannot be a name", sentence(error.reason))


@_words(e.ArchiveRefused)
def _archive(error: e.ArchiveRefused) -> Notice:
    return Notice("This archive cannot be used", f"{error.path}: {sentence(error.reason)}")


@_words(e.NotAllRemoved)
def _not_all(error: e.NotAllRemoved) -> Notice:
    why = wording_of(error.cause)
    said = why.detail if is_plain(error.cause) else f"{why.title}. {why.detail}"
    removed = f" Removed {joined(error.removed)}." if error.removed else ""
    return Notice(f"{joined(error.kept)} could not be removed", f"{said}{removed}", why.step, why.kind)


@_words(e.EmbeddedError)
def _embedded(error: e.EmbeddedError) -> Notice:
    return Notice("The embedded engine cannot run", sentence(str(error)), CHOOSE)


@_words(e.EngineProgramMissing)
def _program(error: e.EngineProgramMissing) -> Notice:
    return Notice(
        "The embedded engine needs programs that are not installed",
        f"Missing: {', '.join(error.programs)}.",
        Step("Show how to install", "show-install"),
    )


@_words(e.FirewallOwned)
def _firewall(error: e.FirewallOwned) -> Notice:
    return Notice(
        "Another engine owns this host's firewall",
        f"{sentence(error.owner)} Two engines there would wipe each other's port rules, "
        "so the embedded engine was not started.",
        CHOOSE,
    )


@_words(e.RootlessForbidden)
def _rootless(error: e.RootlessForbidden) -> Notice:
    return Notice("This system does not let you run an engine", " ".join(sentence(r) for r in error.reasons), CHOOSE)


@_words(e.EngineStartFailed)
def _start_failed(error: e.EngineStartFailed) -> Notice:
    tail = f" Its last words: {error.log[-1]}" if error.log else ""
    return Notice(
        "The embedded engine did not start", sentence(error.reason) + tail, Step("Show its log", "show-engine-log")
    )


@_words(e.EngineStopFailed)
def _stop_failed(error: e.EngineStopFailed) -> Notice:
    return Notice("The embedded engine did not stop", sentence(error.reason), Step("Show its log", "show-engine-log"))
