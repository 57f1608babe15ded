"""JsonTree: a JSON document as a tree with search, copy, and values that stay hidden until asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from app.theme import Theme
from app.widgets.menus import Menu
from app.widgets.overlayscroll import OverlayScrollBar
from app.widgets.shortcuts import bind
from app.widgets.text import visible_name

SHOWN_CHARS: Final = 2_000
_RIGHT: Final = 22
"""Free of text at the right edge, where the scroll bar lies, in px."""
MOST_NODES: Final = 200_000
Path = tuple[str | int, ...]
Hide = Callable[[Path, str], str]
"""Given a path and the text there, what is shown instead while values are hidden."""
_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


def path_text(path: Path) -> str:
    """A path as jq and people write it: `.State.Health.Log[0]`."""
    said = ""
    for step in path:
        if isinstance(step, int):
            said += f"[{step}]"
        elif step.isidentifier():
            said += f".{step}"
        else:
            said += f"[{json.dumps(step)}]"
    return said or "."


class Node:
    """One value of the document. `children` are made when the document is read."""

    __slots__ = ("children", "parent", "path", "row", "value")

    def __init__(self, path: Path, value: object, parent: Node | None, row: int) -> None:
        self.path, self.value, self.parent, self.row = path, value, parent, row
        self.children: list[Node] = []

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in reading order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


def read(document: object) -> Node:
    """The nodes of a document, without recursion, at most MOST_NODES."""
    root = Node((), document, None, 0)
    waiting, made = [root], 1
    while waiting and made < MOST_NODES:
        node = waiting.pop()
        pairs: list[tuple[str | int, object]] = []
        if isinstance(node.value, dict):
            pairs = [(str(key), value) for key, value in node.value.items()]
        elif isinstance(node.value, list):
            pairs = list(enumerate(node.value))
        node.children = [Node((*node.path, key), value, node, i) for i, (key, value) in enumerate(pairs)]
        waiting.extend(node.children)
        made += len(node.children)
    return root


class JsonModel(QAbstractItemModel):
    """Key and value, two columns, over nodes."""

    def __init__(self, theme: Theme, hide: Hide, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme, self._hide = theme, hide
        self.root = Node((), {}, None, 0)
        self.hidden = True
        self.matches: set[int] = set()
        self.at: Node | None = None

    def set_root(self, root: Node) -> None:
        """Another document."""
        self.beginResetModel()
        self.root = root
        self.matches, self.at = set(), None
        self.endResetModel()

    def text(self, node: Node) -> str:
        """A value as JSON writes it, or what stands for it while hidden; a count for what has children."""
        if isinstance(node.value, dict):
            return f"{{{len(node.value)}}}" if node.value else "{}"
        if isinstance(node.value, list):
            return f"[{len(node.value)}]" if node.value else "[]"
        if isinstance(node.value, str):
            shown = self._hide(node.path, node.value) if self.hidden else node.value
            return visible_name(json.dumps(shown, ensure_ascii=False), SHOWN_CHARS)
        return json.dumps(node.value)

    def document(self, node: Node) -> object:
        """The value with everything below it, hidden parts as they are shown."""
        if isinstance(node.value, str):
            return self._hide(node.path, node.value) if self.hidden else node.value
        if isinstance(node.value, dict):
            return {str(child.path[-1]): self.document(child) for child in node.children}
        if isinstance(node.value, list):
            return [self.document(child) for child in node.children]
        return node.value

    def node(self, index: _Index) -> Node:
        """The node at an index; the root for an invalid one."""
        found = index.internalPointer() if index.isValid() else None
        return found if isinstance(found, Node) else self.root

    def index_of(self, node: Node) -> QModelIndex:
        """The index of a node."""
        return QModelIndex() if node.parent is None else self.createIndex(node.row, 0, node)

    def index(self, row: int, column: int, parent: _Index = _NOWHERE) -> QModelIndex:
        """The child at a row."""
        children = self.node(parent).children
        return self.createIndex(row, column, children[row]) if 0 <= row < len(children) else QModelIndex()

    def parent(self, index: _Index = _NOWHERE) -> QModelIndex:  # type: ignore[override]  # QObject.parent() shares its name
        """The index above."""
        above = self.node(index).parent
        return QModelIndex() if above is None else self.index_of(above)

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """How many children."""
        return len(self.node(parent).children) if parent.column() <= 0 else 0

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """Key and value."""
        del parent
        return 2

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The titles."""
        shown = orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return ("Key", "Value")[section] if shown else None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Text, colour by type, and the marks of a search."""
        node = self.node(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return visible_name(str(node.path[-1])) if index.column() == 0 else self.text(node)
        if role == Qt.ItemDataRole.ForegroundRole:
            found = "on-match" if node is self.at else "text" if id(node) in self.matches else ""
            return self._theme.color(found or (self._token(node) if index.column() else "text"))
        if role == Qt.ItemDataRole.BackgroundRole and id(node) in self.matches:
            return self._theme.color("match-current" if node is self.at else "match")
        if role == Qt.ItemDataRole.FontRole:
            return self._theme.font("mono")
        if role == Qt.ItemDataRole.SizeHintRole:
            return QSize(0, self._theme.height("tree_row"))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{node.path[-1]}: {self.text(node)}"
        return None

    @staticmethod
    def _token(node: Node) -> str:
        if isinstance(node.value, str):
            return "syn-string"
        if isinstance(node.value, bool) or node.value is None:
            return "syn-keyword"
        return "syn-number" if isinstance(node.value, int | float) else "text-tertiary"


class _Cells(QStyledItemDelegate):
    """Ends values before the scroll bar that lies over them, and leaves the row of the keyboard to the tree."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: _Index) -> None:
        super().initStyleOption(option, index)
        option.state &= ~QStyle.StateFlag.State_HasFocus
        if index.column() == 1:
            room = option.rect.width() - _RIGHT
            option.text = option.fontMetrics.elidedText(option.text, Qt.TextElideMode.ElideRight, room)


class _Tree(QTreeView):
    """Paints the row of the keyboard itself: a selection would take the colours of its values."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)

    def drawRow(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """A row, on its colour from edge to edge when it is a match or the current one."""
        color = index.data(Qt.ItemDataRole.BackgroundRole)
        if color is None and index == self.currentIndex().siblingAtColumn(0):
            color = self._color()
        if color is not None:
            painter.fillRect(0, option.rect.top(), self.viewport().width(), option.rect.height(), color)
        super().drawRow(painter, option, index)

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        """Paints both rows, from edge to edge."""
        super().currentChanged(current, previous)
        self.viewport().update()

    def _color(self) -> QColor:
        return self._theme.color("selection" if self.hasFocus() else "hover")


def _show_all(_path: Path, text: str) -> str:
    return text


class JsonTree(QWidget):
    """`found(current, count)` after a search or a step; both 0 for none. `copied(text)` asks for the clipboard."""

    found = Signal(int, int)
    copied = Signal(str)

    def __init__(self, theme: Theme, hide: Hide = _show_all, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.model = JsonModel(theme, hide, self)
        self.tree = _Tree(theme)
        self.tree.setModel(self.model)
        self.tree.setItemDelegate(_Cells(self.tree))
        self.tree.setAccessibleName("JSON")
        self.tree.setFrameShape(QTreeView.Shape.NoFrame)
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(18)
        self.tree.setHeaderHidden(True)
        self.tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._on_menu)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self.tree.header().resizeSection(0, 320)
        bind(self.tree, "Ctrl+C", self._on_copy, window=False)
        OverlayScrollBar(self.tree)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(12, 6, 0, 0)
        whole.addWidget(self.tree)
        self._hits: list[Node] = []
        self._at = -1
        theme.changed.connect(self.tree.viewport().update)

    def set_json(self, raw: bytes) -> None:
        """Shows a document; what was open stays open where its path is still there. Raises ValueError."""
        opened = {node.path for node in self.model.root.walk() if self.tree.isExpanded(self.model.index_of(node))}
        first = not self.model.root.children
        self.model.set_root(read(json.loads(raw)))
        for node in self.model.root.walk():
            if node.children and (node.path in opened or (first and len(node.path) == 1 and len(node.children) < 30)):
                self.tree.expand(self.model.index_of(node))

    def set_hidden(self, hidden: bool) -> None:
        """Whether secret values are hidden."""
        self.model.hidden = hidden
        self.tree.viewport().update()

    def search(self, text: str) -> None:
        """Marks what holds the text, in keys and in values as they are shown, and goes to the first."""
        wanted = text.casefold()
        self._hits = [n for n in self.model.root.walk() if n.parent is not None and wanted and self._holds(n, wanted)]
        self.model.matches, self.model.at = {id(node) for node in self._hits}, None
        self._at = -1
        self.tree.viewport().update()
        self.step(1)

    def step(self, by: int) -> None:
        """Goes to the next or the previous match, round and round."""
        if not self._hits:
            self.found.emit(0, 0)
            return
        self._at = (self._at + by) % len(self._hits) if self._at >= 0 else 0
        self.model.at = self._hits[self._at]
        index = self.model.index_of(self.model.at)
        self.tree.setCurrentIndex(index)
        self.tree.scrollTo(index)
        self.tree.viewport().update()
        self.found.emit(self._at + 1, len(self._hits))

    def everything(self) -> str:
        """The whole document as text, hidden parts as they are shown."""
        return json.dumps(self.model.document(self.model.root), indent=2, ensure_ascii=False)

    def expand_all(self, expanded: bool) -> None:
        """Opens or closes every node."""
        (self.tree.expandAll if expanded else self.tree.collapseAll)()

    def _holds(self, node: Node, wanted: str) -> bool:
        if wanted in str(node.path[-1]).casefold():
            return True
        return not node.children and wanted in self.model.text(node).casefold()

    def _value(self, node: Node) -> str:
        found = self.model.document(node)
        return found if isinstance(found, str) else json.dumps(found, indent=2, ensure_ascii=False)

    def _on_copy(self) -> None:
        index = self.tree.currentIndex()
        if index.isValid():
            self.copied.emit(self._value(self.model.node(index)))

    def _on_menu(self, point: QPoint) -> None:
        index = self.tree.indexAt(point)
        if not index.isValid():
            return
        node = self.model.node(index)
        menu = Menu(self._theme, self, once=True)
        entries: Sequence[tuple[str, str, str, Callable[[], str]]] = (
            ("copy", "Copy value", "Ctrl C", lambda: self._value(node)),
            ("link", "Copy path", "", lambda: path_text(node.path)),
            ("braces", "Copy all", "", self.everything),
        )
        for icon, text, key, make in entries:
            menu.add(icon, text, key, lambda m=make: self.copied.emit(m()))  # type: ignore[misc]  # a default keeps m
        menu.popup_at(self.tree.viewport().mapToGlobal(point))
