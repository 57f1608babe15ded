"""PortTroubles: which published ports of the machine do not answer on this computer, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.presentation.containers import Troubles, port_key
from app.tasks import TaskScope
from backend.endpoint import Endpoint
from backend.types.containers import ContainerSummary

if TYPE_CHECKING:
    from vm.report import Published

SOON_MS: Final = 700
"""The machine opens a port at the same event that the window hears of."""
AGAIN_MS: Final = 2000
"""While a port does not answer, or is not known to the machine yet."""

Asking = Callable[[Endpoint], Awaitable[tuple["Published", ...] | None]]


async def _ask(endpoint: Endpoint) -> tuple[Published, ...] | None:
    """What the machine at the endpoint publishes; None where the endpoint is not that of the machine here."""
    from app.machinehere import machine_at
    from vm.errors import MachineError

    machine = await asyncio.to_thread(machine_at, endpoint)
    try:
        return (await machine.inspect()).ports if machine is not None else None
    except MachineError:
        return ()


class PortTroubles(QObject):
    """Asks the machine after each change of what its containers publish; other engines are left alone.

    Signal: `changed()` when `found` has become other.
    """

    changed = Signal()

    def __init__(self, scope: TaskScope, parent: QObject | None = None, *, source: Asking = _ask) -> None:
        super().__init__(parent)
        self._scope, self._source = scope, source
        self._endpoint: Endpoint | None = None
        self._wanted: frozenset[tuple[str, str, int]] = frozenset()
        self._task: asyncio.Task[Any] | None = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._begin)
        self.found: Troubles = {}

    def follow(self, endpoint: Endpoint | None, rows: Iterable[ContainerSummary]) -> None:
        """The engine in use, none while it does not answer, and its containers."""
        wanted = frozenset(
            port_key(port.protocol, port.ip, port.public) for row in rows for port in row.ports or () if port.public
        )
        if (endpoint, wanted) == (self._endpoint, self._wanted):
            return
        other = endpoint != self._endpoint
        self._endpoint, self._wanted = endpoint, wanted
        if other:
            self._show({})
        self._timer.stop()
        if endpoint is not None and wanted:
            self._timer.start(SOON_MS)
        else:
            self._show({})

    def _begin(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._endpoint is not None:
            self._task = self._scope.start(self._look(self._endpoint), name="ports of the machine")

    async def _look(self, endpoint: Endpoint) -> None:
        published = await self._source(endpoint)
        if endpoint != self._endpoint or published is None:
            return
        from app.machinewordings import port_words

        known = {port_key(each.protocol, each.address, each.port) for each in published}
        # 0.0.0.0 and :: are one to the window; of two that fail the first is told, which is what people use.
        failing = {port_key(each.protocol, each.address, each.port): each for each in reversed(published) if each.error}
        self._show({key: port_words(each) for key, each in failing.items()})
        if failing or any(key not in known for key in self._wanted if key[0] in ("tcp", "udp")):
            self._timer.start(AGAIN_MS)

    def _show(self, found: Mapping[tuple[str, str, int], str]) -> None:
        if found != self.found:
            self.found = dict(found)
            self.changed.emit()
