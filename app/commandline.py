"""The docker command line that an action is equal to, with what must not be seen kept apart."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from msgspec import Struct

MASK = "•••"


class Secret(Struct, frozen=True):
    """A word whose value is hidden: `prefix` is shown (`KEY=`), `value` only ever leaves by copy."""

    prefix: str
    value: str


Word = str | Secret


class CommandLine(Struct, frozen=True):
    """One docker command line. `words` begins with `docker`; empty means that no command line is equal to it.

    `settings` are variables of its environment (`NAME=value`), `into` the file that both of its outputs go to.
    """

    words: tuple[Word, ...] = ()
    settings: tuple[str, ...] = ()
    into: str = ""

    @classmethod
    def docker(cls, *words: Word) -> CommandLine:
        """A line that begins with `docker`."""
        return cls(("docker", *words))

    @property
    def shown(self) -> str:
        """For the screen and for disk: quoted for a POSIX shell, secrets masked."""
        return self._whole(shlex.quote(w) if isinstance(w, str) else shlex.quote(w.prefix) + MASK for w in self.words)

    @property
    def copied(self) -> str:
        """For the clipboard, with the values, because the person asked for a line that works."""
        return self._whole(shlex.quote(word) for word in self.argv)

    def _whole(self, quoted: Iterable[str]) -> str:
        around = (">", shlex.quote(self.into), "2>&1") if self.into else ()
        return " ".join((*(shlex.quote(s) for s in self.settings), *quoted, *around))

    @property
    def argv(self) -> list[str]:
        """For running: plain words, without what only a shell does."""
        return [w if isinstance(w, str) else w.prefix + w.value for w in self.words]
