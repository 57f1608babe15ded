"""Rows of the container list: which containers are shown, in what order and groups, and their cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final

from msgspec import Struct, field

from app.presentation.containers import (
    Reason,
    StateView,
    Troubles,
    group_of,
    image_text,
    is_problem,
    is_running,
    is_stopped,
    port_text,
    port_tip,
    published_ports,
    short_names,
    state_of,
    trouble_of,
)
from app.presentation.units import DASH, age_text, bytes_text, percent_text, plural
from app.widgets.cells import Cell, Column, Group, Row, faded
from app.widgets.text import visible_name
from backend.types.containers import ContainerSummary, Stats

COLUMNS: Final = (
    Column("state", "State", 200, 150, lead=23, optional=False),
    Column("name", "Name", 120, 100, stretch=1, optional=False),
    Column("image", "Image", 180, 100, stretch=2, hide_below=1000),
    Column("cpu", "CPU", 108, 108, align_right=True, pad=20),
    Column("memory", "Memory", 128, 76, align_right=True, pad=14, bar_width=52, bar_below=1000),
    Column("ports", "Ports", 128, 76),
    Column("age", "Age", 56, 50, align_right=True, pad=6),
)
SEGMENTS: Final = (("all", "All"), ("running", "Running"), ("stopped", "Stopped"), ("problems", "Problems"))
STANDALONE: Final = "standalone"
CHIPS: Final = 2
_STEPS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128)


class Use(Struct, frozen=True):
    """What is known of one container's use: the last sample and the shares of a sparkline."""

    sample: Stats | None = None
    history: tuple[float | None, ...] = ()


NO_USE: Final = Use()
_NOT_MEASURED: Final = Cell(DASH, "text-tertiary", align_right=True, spoken="not measured")
_NO_PORTS: Final = Cell(spoken="no ports")


class Facts(Struct, frozen=True):
    """What cells need beside the row: the time now (Unix), findings of inspects, the engine's memory (bytes).

    `troubles` says which ports do not answer on this computer.
    """

    now: float
    use: Callable[[str], Use] = lambda _key: NO_USE
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    memory: int = 0
    scale: float = 1.0
    stale: bool = False
    troubles: Troubles = field(default_factory=dict)


class Shape(Struct, frozen=True):
    """What a person chose to see: search text, segment, groups, order."""

    text: str = ""
    segment: str = "all"
    grouped: bool = True
    sort: str = "name"
    descending: bool = False


def counts(rows: Iterable[ContainerSummary], reasons: Mapping[str, Reason]) -> dict[str, int]:
    """How many containers each segment holds."""
    found = dict.fromkeys((key for key, _ in SEGMENTS), 0)
    for row in rows:
        found["all"] += 1
        found["running"] += is_running(row)
        found["stopped"] += is_stopped(row)
        found["problems"] += is_problem(row, reasons.get(row.id))
    return found


def scale_of(histories: Iterable[tuple[float | None, ...]]) -> float:
    """The top of every sparkline on the page, in steps, so that it seldom changes."""
    highest = max((v for h in histories for v in h if v is not None), default=0.0)
    return next((step for step in _STEPS if step >= highest), highest)


def groups(rows: Iterable[ContainerSummary], shape: Shape, facts: Facts) -> list[Group]:
    """The rows as a table shows them: filtered, sorted, grouped by compose project with the others last."""
    everything = list(rows)
    shown = [row for row in everything if _matches(row, shape, facts)]
    shown.sort(key=lambda row: row.name.casefold())
    if shape.sort != "name" or shape.descending:
        shown.sort(key=lambda row: _sort_key(row, shape.sort, facts), reverse=shape.descending)
    if not shape.grouped:
        return [Group("", tuple(Row(row.id, cells(row, facts)) for row in shown))]
    members: dict[str, list[ContainerSummary]] = {}
    for row in shown:
        members.setdefault(row.project, []).append(row)
    whole: dict[str, list[ContainerSummary]] = {}
    for row in everything:
        whole.setdefault(row.project, []).append(row)
    order = sorted(members, key=lambda project: (not project, project.casefold()))
    return [_group(project, members[project], whole[project], facts) for project in order]


def _group(project: str, shown: list[ContainerSummary], whole: list[ContainerSummary], facts: Facts) -> Group:
    running = sum(is_running(row) for row in whole)
    names = short_names(whole) if project else {}
    problems = sum(is_problem(row, facts.reasons.get(row.id)) for row in whole) if project else 0
    return Group(
        key=f"project:{project}" if project else STANDALONE,
        rows=tuple(Row(row.id, cells(row, facts, names.get(row.id, ""))) for row in shown),
        name=visible_name(project) or "Standalone",
        icon="boxes" if project else "container",
        path=visible_name(group_of(whole[0])[1]) if project else "Not part of a project",
        words=f"{running} of {len(whole)} running",
        problems=plural(problems, "problem") if problems else "",
        faded=facts.stale,
        sums=sums((row.id for row in whole), facts),
    )


def sums(keys: Iterable[str], facts: Facts) -> dict[str, Cell]:
    """CPU and memory of several containers together, for a heading."""
    cpu, memory = totals(facts.use(key).sample for key in keys)
    return {
        "cpu": Cell(percent_text(cpu) if cpu is not None else "", "text-secondary", align_right=True),
        "memory": Cell(bytes_text(memory) if memory is not None else "", "text-secondary", align_right=True),
    }


def totals(samples: Iterable[Stats | None]) -> tuple[float | None, int | None]:
    """The CPU share and the bytes of all samples together; None when none is known."""
    known = [s for s in samples if s is not None]
    cpus = [s.cpu for s in known if s.cpu is not None]
    memories = [s.memory for s in known if s.memory is not None]
    return (sum(cpus) if cpus else None), (sum(memories) if memories else None)


def cells(row: ContainerSummary, facts: Facts, name: str = "") -> tuple[Cell, ...]:
    """One row, in the order of COLUMNS; `name` is a shorter one where the heading above says the rest."""
    use = facts.use(row.id)
    found = (
        _state_cell(row, facts),
        _name_cell(row, facts, name or row.name),
        _image_cell(row.image),
        cpu_cell(row, use, facts),
        memory_cell(row, use, facts),
        _ports_cell(row, facts.troubles),
        age_cell(row, facts),
    )
    return tuple(faded(cell) for cell in found) if facts.stale else found


# Most rows of a long list look alike, so cells without a number of their own are made once.


@lru_cache(maxsize=1024)
def _image_cell(image: str) -> Cell:
    return Cell(visible_name(image_text(image)), "text-secondary", small=True, elide="middle")


def _state_cell(row: ContainerSummary, facts: Facts) -> Cell:
    view = state_of(row, facts.reasons.get(row.id))
    if facts.troubles and view.calm and (shut := [p for p in published_ports(row) if trouble_of(p, facts.troubles)]):
        port = f"port {shut[0].host} does not answer here"
        return _state_view_cell(StateView("triangle-alert", view.word, port, "warning", calm=False), row.status)
    return _state_view_cell(view, row.status)


@lru_cache(maxsize=1024)
def _state_view_cell(view: StateView, status: str) -> Cell:
    token = "text-secondary" if view.calm else view.role
    dot = "success-fill" if not view.icon else ""
    return Cell(
        view.word,
        token,
        400 if view.calm else 500,
        icon=view.icon,
        icon_token=token,
        dot=dot,
        secondary=view.reason,
        tooltip=status,
    )


def _name_cell(row: ContainerSummary, facts: Facts, name: str) -> Cell:
    alive = not is_stopped(row) or is_problem(row, facts.reasons.get(row.id))
    return Cell(
        visible_name(name),
        "text" if alive else "text-secondary",
        500,
        tooltip=f"{row.name}\n{image_text(row.image)}",
        spoken=visible_name(row.name),
    )


def cpu_cell(row: ContainerSummary, use: Use, facts: Facts) -> Cell:
    """CPU with its sparkline; a dash when it is stopped or not measured."""
    if not _alive(row) or use.sample is None or use.sample.cpu is None:
        return _NOT_MEASURED
    return Cell(
        percent_text(use.sample.cpu),
        align_right=True,
        spark=use.history,
        spark_max=facts.scale,
    )


def memory_cell(row: ContainerSummary, use: Use, facts: Facts) -> Cell:
    """Memory with its share of the limit; the engine's whole memory is no limit."""
    if not _alive(row) or use.sample is None or use.sample.memory is None:
        return _NOT_MEASURED
    limit = limit_of(use.sample, facts.memory)
    bar = min(1.0, use.sample.memory / limit) if limit else None
    text = bytes_text(use.sample.memory)
    tip = f"{text} of {bytes_text(limit)}" if limit else ""
    return Cell(text, align_right=True, bar=bar, tooltip=tip)


def limit_of(sample: Stats, memory: int) -> int:
    """The memory limit in bytes, 0 for none: an engine reports its whole `memory` (or more) when there is none."""
    limit = sample.memory_limit
    return limit if limit and (not memory or limit < memory * 0.98) else 0


def _ports_cell(row: ContainerSummary, troubles: Troubles) -> Cell:
    ports = published_ports(row)
    if not ports:
        return _NO_PORTS
    return Cell(
        chips=tuple(port_text(p) for p in ports[:CHIPS]),
        open_chips=tuple(p.open for p in ports[:CHIPS]),
        bad_chips=tuple(bool(trouble_of(p, troubles)) for p in ports[:CHIPS]),
        more=max(0, len(ports) - CHIPS),
        tooltip="\n".join(port_tip(p, trouble_of(p, troubles)) for p in ports),
    )


def age_cell(row: ContainerSummary, facts: Facts) -> Cell:
    """Time since it was created; dimmed when the engine is lost, because nothing is sure then."""
    text = age_text(facts.now - row.created) if row.created else DASH
    return _age_text_cell(text, facts.stale, row.status)


@lru_cache(maxsize=1024)
def _age_text_cell(text: str, stale: bool, status: str) -> Cell:
    return Cell(text, "text-tertiary" if stale else "text-secondary", align_right=True, tooltip=status)


def _alive(row: ContainerSummary) -> bool:
    return row.state in ("running", "paused", "restarting")


def _matches(row: ContainerSummary, shape: Shape, facts: Facts) -> bool:
    inside: Callable[[ContainerSummary], bool] | None = {
        "running": is_running,
        "stopped": is_stopped,
        "problems": lambda r: is_problem(r, facts.reasons.get(r.id)),
    }.get(shape.segment)
    if inside is not None and not inside(row):
        return False
    words = shape.text.casefold().split()
    if not words:
        return True
    ports = " ".join(port_text(p) for p in published_ports(row))
    hay = f"{row.name} {row.image} {row.project} {row.service} {row.id} {ports} {state_of(row).word}".casefold()
    return all(word in hay for word in words)


_RANKS: Final = {"danger": 0, "warning": 1, "success": 2, "": 3}


def _sort_key(row: ContainerSummary, column: str, facts: Facts) -> tuple[float, str]:
    sample = facts.use(row.id).sample if _alive(row) else None
    if column == "state":
        view = state_of(row, facts.reasons.get(row.id))
        return _RANKS[view.role], view.word
    if column == "image":
        return 0, image_text(row.image).casefold()
    if column == "cpu":
        return (sample.cpu if sample is not None and sample.cpu is not None else -1), ""
    if column == "memory":
        return (sample.memory if sample is not None and sample.memory is not None else -1), ""
    if column == "ports":
        ports = published_ports(row)
        return (ports[0].host if ports else 1 << 17), ""
    if column == "age":
        return -row.created, ""
    return 0, row.name.casefold()
