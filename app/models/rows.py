"""RowsModel: groups and rows of cells as one list that changes in place, so that a view keeps its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace
from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt

from app.widgets.cells import CELL_ROLE, GROUP_ROLE, ROW_KEY_ROLE, Cell, Column, Group, TableModel

GROUP_PREFIX = "group:"
MOST_RUNS = 64
_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class RowsModel(TableModel):
    """Rows under headings, in the order the caller gives; sorting and filtering happen before `set_rows`.

    Headings are rows of this list as well (GROUP_ROLE is True), and folded rows are not in it: one flat list is what
    keeps ten thousand rows quick, because Qt needs no call into Python for parents.
    """

    def __init__(self, columns: Sequence[Column], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self._section = {column.key: i for i, column in enumerate(self.columns)}
        self._groups: dict[str, Group] = {}
        self._members: dict[str, tuple[str, ...]] = {}
        self._cells: dict[str, tuple[Cell, ...]] = {}
        self._folded: set[str] = set()
        self._flat: list[str] = []
        self._places: dict[str, int] | None = None

    # What the caller gives

    def set_rows(self, groups: Iterable[Group]) -> None:
        """Replaces all rows. Rows with the same key stay themselves; only what differs is told to the view."""
        self.about_to_change.emit()
        old_cells, old_groups = self._cells, self._groups
        cells: dict[str, tuple[Cell, ...]] = {}
        self._groups = {}
        members: dict[str, tuple[str, ...]] = {}
        for group in groups:
            if group.key not in self._groups:
                self._groups[group.key] = replace(group, rows=())
            fresh = [row for row in group.rows if row.key not in cells]
            cells.update((row.key, row.cells) for row in fresh)
            members[group.key] = members.get(group.key, ()) + tuple(row.key for row in fresh)
        new = self._flatten(members)
        changed = {key for key, value in cells.items() if key in old_cells and old_cells[key] != value}
        changed.update(
            GROUP_PREFIX + key for key, g in self._groups.items() if key in old_groups and old_groups[key] != g
        )
        self._members = members
        old_cells_kept = {key: old_cells[key] for key in self._flat if key in old_cells and key not in cells}
        old_heads_kept = {key: group for key, group in old_groups.items() if key not in self._groups}
        groups_now, self._groups = self._groups, {**self._groups, **old_heads_kept}
        self._cells = {**cells, **old_cells_kept}
        self._become(new)
        self._cells, self._groups = cells, groups_now
        self._tell(changed)
        self.rows_changed.emit()

    def update_cells(self, changes: Mapping[str, Mapping[str, Cell]]) -> None:
        """Replaces single cells, by row key and column key; at most one `dataChanged` comes of it."""
        rows: list[int] = []
        sections: list[int] = []
        for key, by_column in changes.items():
            cells = self._cells.get(key)
            if cells is None:
                continue
            fresh = list(cells)
            touched = False
            for column, cell in by_column.items():
                at = self._section[column]
                if fresh[at] != cell:
                    fresh[at] = cell
                    sections.append(at + 1)
                    touched = True
            if touched:
                self._cells[key] = tuple(fresh)
                if (row := self._row_of(key)) >= 0:
                    rows.append(row)
        self._emit_changed(rows, sections)

    def update_sums(self, changes: Mapping[str, Mapping[str, Cell]]) -> None:
        """Replaces sums of headings, by group key and column key."""
        rows: list[int] = []
        sections: list[int] = []
        for key, by_column in changes.items():
            group = self._groups.get(key)
            if group is None:
                continue
            sums = {**group.sums, **by_column}
            if sums != group.sums:
                self._groups[key] = replace(group, sums=sums)
                sections.extend(self._section[column] + 1 for column in by_column)
                if (row := self._row_of(GROUP_PREFIX + key)) >= 0:
                    rows.append(row)
        self._emit_changed(rows, sections)

    def set_folded(self, group_key: str, folded: bool) -> None:
        """Folds or unfolds a group; remembered also while the group is away."""
        if folded == (group_key in self._folded):
            return
        self.about_to_change.emit()
        (self._folded.add if folded else self._folded.discard)(group_key)
        self._become(self._flatten(self._members))
        self._tell({GROUP_PREFIX + group_key})
        self.rows_changed.emit()

    def set_all_folded(self, group_keys: Iterable[str]) -> None:
        """Folds exactly these groups, e.g. those of the last run."""
        self.about_to_change.emit()
        self._folded = set(group_keys)
        self._become(self._flatten(self._members))
        self.rows_changed.emit()

    # What the view asks

    @property
    def folded(self) -> frozenset[str]:
        """The keys of the folded groups."""
        return frozenset(self._folded)

    def is_folded(self, group_key: str) -> bool:
        """Whether the rows of a group are out of sight."""
        return group_key in self._folded

    def entry(self, row: int) -> Group | tuple[Cell, ...]:
        """The heading or the cells of a row."""
        key = self._flat[row]
        if key.startswith(GROUP_PREFIX):
            return self._groups[key.removeprefix(GROUP_PREFIX)]
        return self._cells[key]

    def key(self, row: int) -> str:
        """The key of a row; of a heading "group:" and the key of its group."""
        return self._flat[row]

    def cell(self, key: str, column: str) -> Cell | None:
        """The cell of a row, shown or folded."""
        cells = self._cells.get(key)
        return None if cells is None else cells[self._section[column]]

    def index_of(self, key: str) -> QModelIndex:
        """The row with `key` (column 0), or an invalid index when it is not shown."""
        row = self._row_of(key)
        return self.index(row, 0) if row >= 0 else QModelIndex()

    def keys_of_group(self, group_key: str) -> tuple[str, ...]:
        """The keys of the rows of a group, folded or not."""
        return self._members.get(group_key, ())

    def all_keys(self) -> tuple[str, ...]:
        """The keys of all rows in their order, also of folded ones, without headings."""
        return tuple(self._cells)

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """Rows and headings in view."""
        return 0 if parent.isValid() else len(self._flat)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """The columns, the tick and the actions."""
        return 0 if parent.isValid() else len(self.columns) + 2

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Text, accessible text, and the roles of cells.py."""
        row, column = index.row(), index.column() - 1
        if not 0 <= row < len(self._flat):
            return None
        if role == ROW_KEY_ROLE:
            return self._flat[row]
        entry = self.entry(row)
        if role == GROUP_ROLE:
            return isinstance(entry, Group)
        if isinstance(entry, Group):
            return self._heading(entry, column, role)
        if column == -1 and role == Qt.ItemDataRole.AccessibleTextRole:
            spoken = ((c.name, cell.accessible) for c, cell in zip(self.columns, entry, strict=False))
            return ", ".join(f"{name}: {text}" for name, text in spoken if text)
        if not 0 <= column < len(self.columns):
            return None
        cell = entry[column]
        if role == CELL_ROLE:
            return cell
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self.columns[column].name}: {cell.accessible or MISSING_SPOKEN}"
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Titles of the columns."""
        if orientation is not Qt.Orientation.Horizontal or not 0 < section <= len(self.columns):
            return None
        column = self.columns[section - 1]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return column.name
        return None

    # How it changes

    def _heading(self, group: Group, column: int, role: int) -> object:
        if column == -1 and role == Qt.ItemDataRole.AccessibleTextRole:
            return group.accessible
        if column == 0 and role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return group.name if role == Qt.ItemDataRole.DisplayRole else group.accessible
        if column > 0 and column < len(self.columns):
            cell = group.sums.get(self.columns[column].key)
            if cell is not None and role == CELL_ROLE:
                return cell
            if cell is not None and role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
                return cell.text
        return None

    def _flatten(self, members: Mapping[str, tuple[str, ...]]) -> list[str]:
        flat: list[str] = []
        for key, group in self._groups.items():
            if group.name:
                flat.append(GROUP_PREFIX + key)
            if not group.name or key not in self._folded:
                flat.extend(members[key])
        return flat

    def _row_of(self, key: str) -> int:
        if self._places is None:
            self._places = {k: i for i, k in enumerate(self._flat)}
        return self._places.get(key, -1)

    def _become(self, new: list[str]) -> None:
        old = self._flat
        if old == new:
            return
        new_set, old_set = set(new), set(old)
        kept_old = [k for k in old if k in new_set]
        kept_new = [k for k in new if k in old_set]
        gone = _runs([i for i, k in enumerate(old) if k not in new_set])
        if len(gone) > MOST_RUNS:
            self._reset(new)
            return
        for first, last in reversed(gone):
            self.beginRemoveRows(QModelIndex(), first, last)
            del self._flat[first : last + 1]
            self._places = None
            self.endRemoveRows()
        if kept_old != kept_new:
            self._reorder(kept_new)
        fresh = _runs([i for i, k in enumerate(new) if k not in old_set])
        if len(fresh) > MOST_RUNS:
            self._reset(new)
            return
        for first, last in fresh:
            self.beginInsertRows(QModelIndex(), first, last)
            self._flat[first:first] = new[first : last + 1]
            self._places = None
            self.endInsertRows()

    def _reset(self, new: list[str]) -> None:
        self.beginResetModel()
        self._flat, self._places = new, None
        self.endResetModel()

    def _reorder(self, order: list[str]) -> None:
        self.layoutAboutToBeChanged.emit()
        old = self._flat
        self._flat, self._places = list(order), None
        before = self.persistentIndexList()
        self.changePersistentIndexList(before, [self.index(self._row_of(old[i.row()]), i.column()) for i in before])
        self.layoutChanged.emit()

    def _tell(self, changed: set[str]) -> None:
        rows = [row for key in changed if (row := self._row_of(key)) >= 0]
        self._emit_changed(rows, range(len(self.columns) + 2))

    def _emit_changed(self, rows: Sequence[int], sections: Sequence[int]) -> None:
        if rows and sections:
            self.dataChanged.emit(self.index(min(rows), min(sections)), self.index(max(rows), max(sections)))


MISSING_SPOKEN = "none"


def _runs(rows: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and runs[-1][1] == row - 1:
            runs[-1] = (runs[-1][0], row)
        else:
            runs.append((row, row))
    return runs
