"""The program as it is started, and the empty window that it is held against; each tells when rows are on screen.

Run as `python -m tests.bench.program pilothouse|window [HEIGHT] [PAGE]`. Imports nothing that the program would not.
"""

from __future__ import annotations

import sys
import time

ROWS = 50


def _tell(rows: int) -> None:
    print(f"{time.monotonic()} {rows} {time.process_time()}", flush=True)


def window(height: int) -> int:
    """An empty window with a table: what any program of this kind costs."""
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtGui import QStandardItemModel
    from PySide6.QtWidgets import QApplication, QMainWindow, QTableView

    class Watch(QObject):
        """Tells once the first paint is done."""

        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
            if event.type() is QEvent.Type.Paint:
                table.viewport().removeEventFilter(self)
                QTimer.singleShot(0, lambda: _tell(0))
            return False

    app = QApplication(sys.argv[:1])
    main = QMainWindow()
    table = QTableView()
    model = QStandardItemModel(0, 7)
    table.setModel(model)
    watch = Watch()
    table.viewport().installEventFilter(watch)
    main.setCentralWidget(table)
    main.resize(1280, height)
    main.show()
    return int(app.exec())


def pilothouse(height: int, page: str) -> int:
    """The program, through its own entry point; the only addition looks for the first paint of fifty rows."""
    from app.cli import main as start

    if not page:
        _hook(height)
    else:
        _hook_page(height, page)
    return start([])


def _hook(height: int) -> None:
    import app.main  # noqa: F401 - imports what the program imports, in its order
    from app import desk

    opened = desk.Desk.open

    async def open_and_watch(self: desk.Desk) -> None:
        from PySide6.QtCore import QEvent, QObject, QPoint, QTimer

        from app import places
        from app.pages.containers.page import ContainersPage

        self.window.resize(1280, height)
        await opened(self)
        page = self.window.page(places.CONTAINERS)
        assert isinstance(page, ContainersPage)
        table = page.list.table

        class Watch(QObject):
            """Tells once the first paint with enough rows is done."""

            def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
                if event.type() is QEvent.Type.Paint and table.model().rowCount() >= ROWS:
                    table.viewport().removeEventFilter(self)
                    QTimer.singleShot(0, self.tell)
                return False

            def tell(self) -> None:
                at, used = time.monotonic(), time.process_time()
                last = table.indexAt(QPoint(4, table.viewport().height() - 2))
                rows = last.row() + 1 if last.isValid() else table.model().rowCount()
                print(f"{at} {rows} {used}", flush=True)

        watch = Watch(self)
        table.viewport().installEventFilter(watch)

    desk.Desk.open = open_and_watch  # type: ignore[method-assign]


def _hook_page(height: int, page: str) -> None:
    import app.main  # noqa: F401 - imports what the program imports, in its order
    from app import desk

    opened = desk.Desk.open

    async def open_and_go(self: desk.Desk) -> None:
        from PySide6.QtCore import QTimer

        from app.places import Place

        self.window.resize(1280, height)
        await opened(self)
        QTimer.singleShot(3000, lambda: self.window.go(Place(page)))
        QTimer.singleShot(4000, lambda: _tell(len(self.stores.containers.values)))

    desk.Desk.open = open_and_go  # type: ignore[method-assign]


if __name__ == "__main__":
    kind, tall = sys.argv[1], int(sys.argv[2])
    sys.exit(window(tall) if kind == "window" else pilothouse(tall, sys.argv[3] if len(sys.argv) > 3 else ""))
