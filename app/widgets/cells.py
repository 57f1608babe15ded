"""The values that a table shows: columns, cells, rows and groups, free of what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace
from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal

CELL_ROLE = Qt.ItemDataRole.UserRole + 1
ROW_KEY_ROLE = Qt.ItemDataRole.UserRole + 2
GROUP_ROLE = Qt.ItemDataRole.UserRole + 3

MISSING = "–"


class Cell(Struct, frozen=True):
    """One cell. Tokens name colours of the theme.

    Drawn from the left: `icon` (16 px) or `dot` (8 px), `text`, `secondary` in small and grey. A right-aligned cell has
    its `spark` (44x16, values up to `spark_max`, None is a gap) at the left and its `bar` (0 to 1) behind the text, in
    the colours of a limit unless `bar_token` names one.
    `chips` are pressed one by one; those with True in `open_chips` bear a mark, those with True in `bad_chips` are
    in the colour of what is wrong; `more` says how many are not shown.
    `strike` draws a line through the text.
    `small` is 12 px instead of 13. `tooltip` is shown always; an elided text shows itself anyway.
    `spoken` is what a screen reader says when the text alone does not say it.
    """

    text: str = ""
    token: str = "text"
    weight: int = 400
    mono: bool = False
    small: bool = False
    align_right: bool = False
    icon: str = ""
    icon_token: str = ""
    dot: str = ""
    secondary: str = ""
    spark: tuple[float | None, ...] = ()
    spark_max: float = 1
    bar: float | None = None
    bar_token: str = ""
    chips: tuple[str, ...] = ()
    open_chips: tuple[bool, ...] = ()
    bad_chips: tuple[bool, ...] = ()
    more: int = 0
    elide: Literal["right", "middle"] = "right"
    tooltip: str = ""
    strike: bool = False
    spoken: str = ""

    @property
    def accessible(self) -> str:
        """What a screen reader says."""
        if self.spoken:
            return self.spoken
        more = f"+{self.more}" if self.more else ""
        return " ".join(part for part in (self.text, self.secondary, *self.chips, more) if part)


@lru_cache(maxsize=4096)
def faded(cell: Cell) -> Cell:
    """Of an engine that does not answer: what was last known, without the colours of what is."""
    dot, icon = "border-strong" if cell.dot else "", "text-tertiary" if cell.icon_token else ""
    return replace(cell, token="text-tertiary", weight=400, dot=dot, icon_token=icon, spark=(), bar=None, bad_chips=())


class Column(Struct, frozen=True):
    """A column: widths in px; `stretch` is its share of the spare width.

    `min_width` is without the bar. `hide_below`: hidden when the window is narrower. `pad` is the free space at its
    right. `lead` indents the title, so that it stands over the text behind an icon or a dot. `bar_width` reserves
    room for a bar (with the gap before it), dropped below a window of `bar_below` px together with its width.
    `optional`: may be hidden by the column menu; `hidden`: starts hidden. `spoken` names it for a screen reader and
    in the menu when the title is empty.
    """

    key: str
    title: str
    width: int
    min_width: int = 40
    stretch: int = 0
    align_right: bool = False
    sortable: bool = True
    hide_below: int = 0
    pad: int = 12
    lead: int = 0
    bar_width: int = 0
    bar_below: int = 0
    optional: bool = True
    hidden: bool = False
    spoken: str = ""

    @property
    def name(self) -> str:
        """Its name in words."""
        return self.spoken or self.title


class Row(Struct, frozen=True):
    """One row: `key` is unique in the table; one cell per column, in the order of the columns."""

    key: str
    cells: tuple[Cell, ...]


class Group(Struct, frozen=True):
    """Rows under a heading. A group without a `name` has no heading: its rows stand alone.

    The heading shows chevron, `icon`, `name`, `path` (dropped in a narrow window), `words` ("5 of 5 running"),
    `problems` ("3 problems", with a warning sign, in its colour unless `faded`) and `sums`, cells by the key of their
    column.
    """

    key: str
    rows: tuple[Row, ...]
    name: str = ""
    icon: str = ""
    path: str = ""
    words: str = ""
    problems: str = ""
    faded: bool = False
    sums: Mapping[str, Cell] = field(default_factory=dict)

    @property
    def accessible(self) -> str:
        """What a screen reader says."""
        return " ".join(part for part in (self.name, self.path, self.words, self.problems) if part)


class RowAction(Struct, frozen=True):
    """An icon in the action column. `name` comes back with the signal; `why` says why it is not enabled.

    The name "more" opens the row's menu.
    """

    name: str
    icon: str
    title: str
    key: str = ""
    enabled: bool = True
    why: str = ""


MORE = RowAction("more", "ellipsis", "More actions")


class TableModel(QAbstractTableModel):
    """What a Table needs of its model: section 0 is the tick, the last one the actions, between them the columns.

    Headings of groups are rows too. `about_to_change` and `rows_changed` surround every change of the rows, so that the
    view can keep its place.
    """

    about_to_change = Signal()
    rows_changed = Signal()

    columns: tuple[Column, ...] = ()

    def entry(self, row: int) -> Group | tuple[Cell, ...]:
        """The heading or the cells of a row."""
        raise NotImplementedError

    def key(self, row: int) -> str:
        """The key of a row; of a heading "group:" and the key of its group."""
        raise NotImplementedError

    def index_of(self, key: str) -> QModelIndex:
        """The row with `key` (column 0), or an invalid index when it is not shown."""
        raise NotImplementedError

    def keys_of_group(self, group_key: str) -> tuple[str, ...]:
        """The keys of the rows of a group, folded or not."""
        raise NotImplementedError

    def all_keys(self) -> tuple[str, ...]:
        """The keys of all rows in their order, also of folded ones, without headings."""
        raise NotImplementedError

    def is_folded(self, group_key: str) -> bool:
        """Whether the rows of a group are out of sight."""
        raise NotImplementedError

    def set_folded(self, group_key: str, folded: bool) -> None:
        """Folds or unfolds a group."""
        raise NotImplementedError
