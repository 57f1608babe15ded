"""ContainerFeeds: the live facts that container pages use, made in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject

from app.feeds.history import HistoryFeed
from app.feeds.porttroubles import PortTroubles
from app.feeds.stats import EngineSource, StatsFeed
from app.feeds.top import TopFeed
from app.feeds.totals import TotalsFeed
from app.tasks import TaskScope


class ContainerFeeds(QObject):
    """`stats` of the rows on screen, `totals` of all, `ports` without an answer; a history and processes of one."""

    def __init__(
        self,
        engine: EngineSource,
        scope: TaskScope,
        running: Callable[[], Sequence[str]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._scope = scope
        self.stats = StatsFeed(engine, scope, self)
        self.totals = TotalsFeed(engine, scope, running, self)
        self.ports = PortTroubles(scope, self)

    def history(self, container_id: str, owner: QObject) -> HistoryFeed:
        """A history that ends with its `owner`."""
        feed = HistoryFeed(self._engine, self._scope, container_id)
        owner.destroyed.connect(lambda: feed.set_active(False))
        return feed

    def top(self, container_id: str, owner: QObject) -> TopFeed:
        """A process list that ends with its `owner`."""
        feed = TopFeed(self._engine, self._scope, container_id)
        owner.destroyed.connect(lambda: feed.set_active(False))
        return feed
