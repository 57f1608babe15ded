"""Image references: the grammar of distribution/reference, its defaults, and the short form that people read."""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace

from backend.errors import InvalidReference

DEFAULT_DOMAIN = "docker.io"
OFFICIAL = "library/"
DEFAULT_TAG = "latest"
LONGEST_PATH = 255

# github.com/distribution/reference, regexp.go
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_DOMAIN_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"(?:{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*|\[(?:[a-fA-F0-9:]+)\])(?::[0-9]+)?\Z")
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*\Z")
_TAG = re.compile(r"[\w][\w.-]{0,127}\Z", re.ASCII)
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}\Z")
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}\Z")
_ID = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}\Z")


class Reference(Struct, frozen=True):
    """A whole reference. `tag` and `digest` are empty where not given."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """The short name of the repository: `nginx`, `acme/api`, `ghcr.io/acme/api`."""
        if self.domain != DEFAULT_DOMAIN:
            return f"{self.domain}/{self.path}"
        rest = self.path.removeprefix(OFFICIAL)
        return rest if self.path.startswith(OFFICIAL) and "/" not in rest else self.path

    @property
    def short(self) -> str:
        """The reference as people write it, with tag and digest where given."""
        return f"{self.repository}{':' + self.tag if self.tag else ''}{'@' + self.digest if self.digest else ''}"

    @property
    def full(self) -> str:
        """Every part written out, as the engine keeps it."""
        rest = f"{':' + self.tag if self.tag else ''}{'@' + self.digest if self.digest else ''}"
        return f"{self.domain}/{self.path}{rest}"

    def with_default_tag(self) -> Reference:
        """Itself, tagged `latest` when it has neither tag nor digest."""
        return self if self.tag or self.digest else replace(self, tag=DEFAULT_TAG)


def parse_reference(text: str) -> Reference:
    """Reads a reference as the docker command line does. Raises InvalidReference with what is wrong with it."""
    if not text:
        raise InvalidReference(text, "an image needs a name")
    if len(text) > 4096:
        raise InvalidReference(text[:60] + "…", "this is too long for an image")
    if re.fullmatch(r"[0-9a-f]{64}", text):
        raise InvalidReference(text, "64 hexadecimal digits are an id, not a name")
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.match(digest):
        raise InvalidReference(text, "what follows the @ is not a digest")
    if digest.startswith("sha256:") and not _SHA256.match(digest):
        raise InvalidReference(text, "a sha256 digest has 64 hexadecimal digits")
    name, tag = _split_tag(rest)
    if tag is not None and not _TAG.match(tag):
        raise InvalidReference(text, "a tag has letters, digits, _ . - and at most 128 of them")
    domain, path = _split_domain(name)
    _check_name(text, domain, path)
    return Reference(domain, path, tag or "", digest)


def _split_tag(rest: str) -> tuple[str, str | None]:
    """The last colon begins a tag unless a slash follows, as in `host:5000/name`."""
    name, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        return rest, None
    return name, tag


def _split_domain(name: str) -> tuple[str, str]:
    """The first part is a registry when it has a dot, a colon or a capital, or is localhost (normalize.go)."""
    first, slash, rest = name.partition("/")
    is_domain = slash and ("." in first or ":" in first or first == "localhost" or first.lower() != first)
    domain, path = (first, rest) if is_domain else (DEFAULT_DOMAIN, name)
    if domain == "index.docker.io":
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and path and "/" not in path:
        path = OFFICIAL + path
    return domain, path


def _check_name(text: str, domain: str, path: str) -> None:
    if not _DOMAIN.match(domain):
        raise InvalidReference(text, "the registry before the first slash is not a host")
    if not path or path == OFFICIAL:
        raise InvalidReference(text, "an image needs a name")
    if path.lower() != path:
        raise InvalidReference(text, "a name has small letters only")
    if not _PATH.match(path):
        raise InvalidReference(text, "a name has small letters, digits and . _ - / between them")
    if len(path) > LONGEST_PATH:
        raise InvalidReference(text, f"a name has at most {LONGEST_PATH} characters")


def check_image(text: str) -> str:
    """`text`, once it is known to be an id (at least 12 digits) or a reference. Raises InvalidReference."""
    if not _ID.match(text):
        parse_reference(text)
    return text
