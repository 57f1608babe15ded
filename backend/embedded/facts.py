"""What is known of the embedded engine: whether it runs, and what this computer must have for it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from backend.endpoint import UnixSocket


class EmbeddedStatus(NamedTuple):
    """`running` answers; `starting` lives and does not answer yet (or hangs); `stopped` is not there."""

    state: Literal["running", "starting", "stopped"]
    endpoint: UnixSocket
    kind: str = ""
    pid: int = 0

    @property
    def running(self) -> bool:
        """Whether it answers."""
        return self.state == "running"


class Requirement(NamedTuple):
    """One thing that must be: `ok`, and `words` that say what is missing and what to do. `steps`: (system, command).

    `program`: it is one, and the steps install it.
    """

    name: str
    ok: bool
    words: str
    steps: tuple[tuple[str, str], ...] = ()
    program: bool = False
