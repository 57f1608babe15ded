"""MachineState: what is known of the machine, as it was last told."""

from __future__ import annotations

from msgspec import Struct

from vm.report import Report


class MachineState(Struct, frozen=True):
    """What is known of the machine. `report` is None until it was asked, `doing` the key of the command under way.

    `making` names what a command makes at the moment, `error` is why the last one failed, `silent` why nothing can be
    asked.
    """

    report: Report | None = None
    doing: str = ""
    making: str = ""
    error: BaseException | None = None
    silent: BaseException | None = None

    @property
    def word(self) -> str:
        """The state that the report tells; "" before there is one."""
        return self.report.state if self.report is not None else ""
