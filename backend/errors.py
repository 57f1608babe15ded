"""Every error that backend raises, as typed facts; app.notices words them for people.

BackendError
├── EndpointError
│   ├── InvalidEndpoint            the text of an address cannot be used
│   ├── UnsupportedEndpoint        a kind of address that cannot be used here
│   ├── TlsFilesUnusable           a certificate or key of ours is missing or broken
│   ├── ContextMissing             the chosen docker context does not exist
│   └── ContextBroken              a file of docker's own configuration cannot be used
├── EngineUnreachable              nothing answers at the endpoint; backend.ssh.errors has its kinds over SSH
│   ├── SocketMissing
│   ├── SocketDenied               EACCES, with the group that may open it
│   ├── SocketUntrusted            a socket that belongs to another person
│   └── TlsRefused                 something answers, and TLS could not be agreed with it
├── EngineTimeout                  it was there, and did not answer in time
├── EngineGone                     the connection broke in the middle of an answer
├── ProtocolError                  the answer was not what the API promises
│   └── AnswerTooLarge
├── ApiVersionUnsupported
├── FeatureMissing                 this engine cannot do that
├── ApiError                       the engine said no, in its own words
│   ├── BadRequest                 400
│   ├── Unauthorized               401, 403
│   ├── NotFound                   404
│   ├── Conflict                   409
│   │   ├── NameInUse
│   │   └── ImageInUse
│   └── EngineFault                500 and above
│       ├── PortInUse
│       └── DiskFull
├── PullFailed                     an error in the progress stream of a pull or push
│   ├── RateLimited
│   ├── RegistryDenied
│   └── RegistryUnreachable
├── BuildError
│   ├── BuildFailed                a step of the Dockerfile failed
│   ├── ContextUnusable            the context folder is missing, unreadable or loops
│   ├── DockerfileMissing
│   ├── DockerfileInvalid
│   └── BuilderMissing             BuildKit was asked for and buildx is not there
├── InvalidReference               not an image reference
├── InvalidName                    not a container, volume or network name
├── ArchiveRefused                 a tar that is not what it claims to be
├── NotAllRemoved                  some names of an image are gone, others could not be removed
└── EmbeddedError
    ├── EngineProgramMissing       neither dockerd nor podman is installed
    ├── FirewallOwned              another engine owns this host's firewall chains
    ├── RootlessForbidden          the kernel or the system forbids a rootless engine
    ├── EngineStartFailed          it started and ended, with the last lines of its log
    └── EngineStopFailed
"""

from __future__ import annotations

import re
from enum import Enum


class BackendError(Exception):
    """The root of everything that backend raises on purpose."""


_PASSWORD = re.compile(r"(://[^/@:]*:).*@")


def without_password(address: str) -> str:
    """An address for the screen and the log: what stands where a password does not belong is masked."""
    return _PASSWORD.sub(r"\1•••@", address)


class EndpointError(BackendError):
    """An address is not usable; a password in it is masked."""

    def __init__(self, text: str, reason: str) -> None:
        self.text, self.reason = without_password(text), reason
        super().__init__(f"{self.text}: {reason}")


class InvalidEndpoint(EndpointError):
    """The text is not an address of an engine."""


class UnsupportedEndpoint(EndpointError):
    """A kind of address that is right and cannot be used here."""


class TlsFilesUnusable(EndpointError):
    """The file at `text` is needed for TLS; `reason` goes on as a sentence about it ("is missing")."""


class ContextMissing(EndpointError):
    """The docker context named `text` does not exist; `reason` says who chooses it."""


class ContextBroken(EndpointError):
    """The file of docker's configuration at `text`; `reason` goes on as a sentence about it ("is no text")."""


class EngineUnreachable(BackendError):
    """Nothing answers at the endpoint. `where` is the endpoint's text, `reason` the system's words."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where = where
        self.reason = reason


class SocketMissing(EngineUnreachable):
    """There is no socket at the path."""


class SocketDenied(EngineUnreachable):
    """The socket is there and this person may not open it. `group` may, when it is not empty."""

    def __init__(self, where: str, reason: str, group: str = "") -> None:
        super().__init__(where, reason)
        self.group = group


class SocketUntrusted(EngineUnreachable):
    """The socket belongs to `owner`, who is neither this person nor root."""

    def __init__(self, where: str, reason: str, owner: str = "") -> None:
        super().__init__(where, reason)
        self.owner = owner


class TlsFault(Enum):
    """Which side of a TLS connection is at fault."""

    THEIR_CERTIFICATE = "the engine's certificate was not accepted"
    OUR_CERTIFICATE = "the engine did not accept ours, or misses one"
    NO_TLS = "the engine speaks without TLS"
    TLS_WANTED = "it was asked without TLS"
    OTHER = "no agreement"


class TlsRefused(EngineUnreachable):
    """Something answers, and TLS could not be agreed with it; `fault` says on whose side."""

    def __init__(self, where: str, reason: str, fault: TlsFault = TlsFault.OTHER) -> None:
        super().__init__(where, reason)
        self.fault = fault


class EngineTimeout(BackendError):
    """The engine did not answer `what` within `seconds`."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"{what}: no answer within {seconds:g} s")
        self.what = what
        self.seconds = seconds


class EngineGone(BackendError):
    """The connection broke while `what` was under way."""

    def __init__(self, what: str, reason: str = "") -> None:
        super().__init__(f"{what}: {reason}" if reason else what)
        self.what = what
        self.reason = reason


class ProtocolError(BackendError):
    """The answer to `what` was not what the API promises."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what}: {reason}")
        self.what = what
        self.reason = reason


class AnswerTooLarge(ProtocolError):
    """The answer passed the cap for its kind."""


class ApiVersionUnsupported(BackendError):
    """The engine speaks API `offered`; Pilothouse needs at least `needed`."""

    def __init__(self, offered: str, needed: str) -> None:
        super().__init__(f"engine API {offered}, needed {needed}")
        self.offered = offered
        self.needed = needed


class FeatureMissing(BackendError):
    """The engine in use lacks `feature`."""

    def __init__(self, feature: str) -> None:
        super().__init__(feature)
        self.feature = feature


class ApiError(BackendError):
    """The engine refused: HTTP `status`, its own `message`, and the call (`what`)."""

    def __init__(self, status: int, message: str, what: str = "") -> None:
        super().__init__(message or f"HTTP {status}")
        self.status = status
        self.message = message
        self.what = what


class BadRequest(ApiError):
    """400: the engine does not accept a value."""


class Unauthorized(ApiError):
    """401 or 403."""


class NotFound(ApiError):
    """404: the thing is not there (any more)."""


class Conflict(ApiError):
    """409: the state of the thing forbids it."""


class NameInUse(Conflict):
    """409: `name` is taken, by `holder` (an id) where the engine says so."""

    def __init__(self, status: int, message: str, what: str = "", name: str = "", holder: str = "") -> None:
        super().__init__(status, message, what)
        self.name = name
        self.holder = holder


class ImageInUse(Conflict):
    """409: a container uses the image. `holder` is its id where the engine says so, `name` its name once asked for."""

    def __init__(self, status: int, message: str, what: str = "", holder: str = "", running: bool = False) -> None:
        super().__init__(status, message, what)
        self.holder = holder
        self.name = ""
        self.running = running


class EngineFault(ApiError):
    """500 and above."""


class PortInUse(EngineFault):
    """A host port is taken: `port` (0 when the engine does not say)."""

    def __init__(self, status: int, message: str, what: str = "", port: int = 0) -> None:
        super().__init__(status, message, what)
        self.port = port


class DiskFull(EngineFault):
    """ENOSPC on the engine's side."""


class PullFailed(BackendError):
    """The progress stream of a pull or push (`pushing`) of `reference` ended in an error, in the engine's words."""

    pushing = False

    def __init__(self, reference: str, message: str) -> None:
        super().__init__(f"{reference}: {message}")
        self.reference = reference
        self.message = message


class RateLimited(PullFailed):
    """The registry answered 429."""


class RegistryDenied(PullFailed):
    """The registry wants a login, or the repository does not exist (registries do not tell which)."""


class RegistryUnreachable(PullFailed):
    """The engine could not reach the registry."""


class BuildError(BackendError):
    """The root of what can go wrong with a build."""


class BuildFailed(BuildError):
    """A step failed: the builder's `message`, the Dockerfile `line` (from 1, 0 unknown), exit `code` (None unknown)."""

    def __init__(self, message: str, line: int = 0, code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.code = code


class ContextUnusable(BuildError):
    """The context folder `path` cannot be sent."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class DockerfileMissing(BuildError):
    """There is no Dockerfile at `path`."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class DockerfileInvalid(BuildError):
    """The Dockerfile does not parse: `message` at `line` (1-based, 0 unknown)."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class BuilderMissing(BuildError):
    """BuildKit was asked for and no buildx was found."""


class InvalidReference(BackendError):
    """`text` is not an image reference, because of `reason`."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"{text}: {reason}")
        self.text = text
        self.reason = reason


class InvalidName(BackendError):
    """`text` cannot name a thing in the engine, because of `reason`."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"{text}: {reason}")
        self.text = text
        self.reason = reason


class ArchiveRefused(BackendError):
    """The file at `path` is not an archive that the engine can take."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class NotAllRemoved(BackendError):
    """Of several names to go, `kept` are still there, the first of them because of `cause`; `removed` are gone."""

    def __init__(self, kept: tuple[str, ...], removed: tuple[str, ...], cause: BackendError) -> None:
        super().__init__(f"{', '.join(kept)}: {cause}")
        self.kept, self.removed, self.cause = kept, removed, cause


class EmbeddedError(BackendError):
    """The root of what keeps the embedded engine from running."""


class EngineProgramMissing(EmbeddedError):
    """`programs` are not installed."""

    def __init__(self, programs: tuple[str, ...]) -> None:
        super().__init__(", ".join(programs))
        self.programs = programs


class FirewallOwned(EmbeddedError):
    """Another engine (`owner`, in words) owns the firewall chains of this host."""

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.owner = owner


class RootlessForbidden(EmbeddedError):
    """The system forbids a rootless engine; `reasons` are sentences, each naming what to change."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class EngineStartFailed(EmbeddedError):
    """The engine ended while starting (`code`), or did not answer in time; `log` holds its last lines."""

    def __init__(self, reason: str, log: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.log = log


class EngineStopFailed(EmbeddedError):
    """The engine did not end when asked to."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
