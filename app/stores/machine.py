"""MachineState: what is known of the machine, as it was last told."""

from __future__ import annotations

from msgspec import Struct

from vm.making import Settings
from vm.report import Report


class Amount(Struct, frozen=True):
    """`done` of `total`, which is 0 where nothing is counted, in `words`."""

    done: int = 0
    total: int = 0
    words: str = ""


class MachineState(Struct, frozen=True):
    """What is known of the machine. `report` is None until it was asked, `doing` the key of the command under way.

    `making` names what a command makes at the moment, `error` is why the last one failed, `silent` why nothing can be
    asked. `settings` are what it is made of, None before it is made. `amount` is how much of `making` is done.
    """

    report: Report | None = None
    doing: str = ""
    making: str = ""
    error: BaseException | None = None
    silent: BaseException | None = None
    settings: Settings | None = None
    amount: Amount = Amount()

    @property
    def word(self) -> str:
        """The state that the report tells; "" before there is one."""
        return self.report.state if self.report is not None else ""

    @property
    def up(self) -> bool:
        """Whether its guest runs, well or not."""
        return self.word in ("running", "unresponsive")
