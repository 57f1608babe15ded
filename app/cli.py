"""The command line: `pilothouse` opens the window, `pilothouse engine …` and `machine …` are for scripts, without Qt.

Exit codes: 0 done (for `status`: it is running); 1 it could not be done; 2 the command line was not understood, or
`--yes` was missing (`machine delete`, `reset`, …); 3 `status`: it is not running; 4 something that is needed is missing
or forbidden; 130 interrupted.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words:
        from app import scripting  # The window needs nothing of it.

        if (wanted := scripting.read(words)) is not None:
            return scripting.run(wanted)
    return _window()


def _window() -> int:
    gc.disable()  # Loading makes much and drops nothing; app.collector collects later.
    from app.main import main as open_window

    return int(open_window())


if __name__ == "__main__":
    sys.exit(main())
