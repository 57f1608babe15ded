"""Names and ids on their way into a URL: checked first, then percent-encoded as one path segment."""

from __future__ import annotations

import re
from urllib.parse import quote

from backend.errors import InvalidName

# moby: daemon/names.RestrictedNamePattern; ids are a case of it.
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*\Z")
LONGEST = 255


def segment(name: str) -> str:
    """A container, volume or exec by name or id, as a path segment. Raises InvalidName."""
    if len(name) > LONGEST:
        raise InvalidName(name[:40] + "…", f"a name has at most {LONGEST} characters")
    if not _NAME.match(name):
        raise InvalidName(name, "a name has letters, digits, _ . - and begins with a letter or digit")
    return name


def loose_segment(name: str) -> str:
    """A network by name or id (the engine lets networks have almost any name), encoded. Raises InvalidName."""
    if not name or len(name) > LONGEST or name.startswith(("-", "/")) or name in (".", ".."):
        raise InvalidName(name[:40], "this cannot name a network")
    if any(ord(c) < 32 or ord(c) == 127 for c in name) or "/" in name:
        raise InvalidName(name, "a name has no slash and no control characters")
    return quote(name, safe="", errors="surrogatepass")


def image_segment(reference: str) -> str:
    """An image by reference or id, encoded as one segment. Raises InvalidReference."""
    from backend.references import check_image

    return quote(check_image(reference), safe="")
