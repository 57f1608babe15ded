"""What is measured: a value beside the floor of the same run, and what their ratio may be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """`value` and `floor` in `unit`; `limit` is the most that value / floor may be, None where it is only shown."""

    name: str
    value: float
    unit: str
    floor: float
    limit: float | None = None

    @property
    def ratio(self) -> float:
        return self.value / self.floor if self.floor else float("inf")

    @property
    def holds(self) -> bool:
        return self.limit is None or self.ratio <= self.limit

    @property
    def statement(self) -> str:
        """A plain sentence on whether it holds."""
        if self.limit is None:
            return "shown beside, without a limit"
        return "holds" if self.holds else f"MISSES: {self.ratio:.2f} where {self.limit:.2f} is the most"


def allowed(name: str, value: float, unit: str, most: float, floor: float) -> Row:
    """A row whose value may be at most `most`, told as a ratio to a floor (or peer) of the same run."""
    return Row(name, value, unit, floor, most / floor if floor else None)


def table(rows: Sequence[Row]) -> str:
    """The rows as text, in columns."""
    width = max((len(row.name) for row in rows), default=0)
    head = f"{'':{width}}  {'value':>14}  {'floor':>14}  {'ratio':>6}  {'limit':>6}"
    lines = [head]
    for row in rows:
        limit = f"{row.limit:.2f}" if row.limit is not None else "-"
        value, floor = (f"{_number(v)} {row.unit:<3}" for v in (row.value, row.floor))
        lines.append(f"{row.name:{width}}  {value:>14}  {floor:>14}  {row.ratio:>6.2f}  {limit:>6}  {row.statement}")
    return "\n".join(lines)


def write(path: Path, rows: Sequence[Row]) -> None:
    """build/bench.json: a list of {name, value, unit, floor, ratio, limit}; limit is null where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = [
        {
            "name": row.name,
            "value": row.value,
            "unit": row.unit,
            "floor": row.floor,
            "ratio": row.ratio if row.floor else None,
            "limit": row.limit,
        }
        for row in rows
    ]
    path.write_text(json.dumps(found, indent=1) + "\n")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
