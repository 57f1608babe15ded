"""Which containers are shown, in what order, and what their cells say."""

from msgspec.structs import replace

from app.models.containers import (
    COLUMNS,
    STANDALONE,
    Facts,
    Shape,
    Use,
    cells,
    counts,
    groups,
    limit_of,
    scale_of,
)
from app.presentation import Reason
from app.widgets.cells import Cell
from backend.types.containers import ContainerId, ContainerSummary, Port, Stats

HOST = 16_000_000_000


def row(
    name: str, state: str = "running", status: str = "Up 3 hours", project: str = "", ports: tuple[Port, ...] = ()
) -> ContainerSummary:
    labels = {"com.docker.compose.project": project} if project else None
    return ContainerSummary(
        id=ContainerId(f"id-{name}"), names=(f"/{name}",), image="nginx:1", created=1000, state=state, status=status,
        labels=labels, ports=ports,
    )  # fmt: skip


def stats(cpu: float | None = 0.042, memory: int | None = 212_000_000, limit: int = 512_000_000) -> Stats:
    return Stats(1000.0, cpu, memory, limit, 0, 0, 0, 0, 1, 2)


ROWS = (
    row("web", project="shop"),
    row("api", project="shop"),
    row("store", "exited", "Exited (137) 1 minute ago", "analytics"),
    row("k6", "exited", "Exited (0) 2 hours ago"),
    row("minio", "paused", "Up 6 days (Paused)"),
)
OOM = {"id-store": Reason(oom=True)}


def cell(row_: ContainerSummary, column: str, facts: Facts) -> Cell:
    return dict(zip((c.key for c in COLUMNS), cells(row_, facts), strict=True))[column]


def test_groups_by_project_with_the_others_last() -> None:
    found = groups(ROWS, Shape(), Facts(2000, reasons=OOM))
    assert [(g.name, [r.key for r in g.rows]) for g in found] == [
        ("analytics", ["id-store"]),
        ("shop", ["id-api", "id-web"]),
        ("Standalone", ["id-k6", "id-minio"]),
    ]
    assert found[0].problems == "1\u00a0problem"
    assert found[1].words == "2 of 2 running"
    assert found[2].key == STANDALONE


def test_no_groups_is_one_list() -> None:
    (only,) = groups(ROWS, Shape(grouped=False), Facts(2000))
    assert only.name == ""
    assert len(only.rows) == 5


def test_segments_and_counts() -> None:
    assert counts(ROWS, OOM) == {"all": 5, "running": 2, "stopped": 2, "problems": 1}
    (problems,) = groups(ROWS, Shape(segment="problems"), Facts(2000, reasons=OOM))
    assert [r.key for r in problems.rows] == ["id-store"]


def test_search_takes_every_word() -> None:
    (found,) = groups(ROWS, Shape(text="SHOP we"), Facts(2000))
    assert [r.key for r in found.rows] == ["id-web"]
    assert groups(ROWS, Shape(text="ngnix"), Facts(2000)) == []


def test_sorting_by_use() -> None:
    use = {"id-web": Use(stats(cpu=0.5)), "id-api": Use(stats(cpu=0.1))}
    facts = Facts(2000, use=lambda key: use.get(key, Use()))
    (down,) = groups(ROWS, Shape(grouped=False, sort="cpu", descending=True), facts)
    assert [r.key for r in down.rows][:2] == ["id-web", "id-api"]


def test_cells_of_a_measured_row() -> None:
    facts = Facts(1000 + 3 * 3600, use=lambda _key: Use(stats(), (0.01, None, 0.04)), memory=HOST)
    assert cell(ROWS[0], "cpu", facts).text == "4.2\u00a0%"
    assert cell(ROWS[0], "cpu", facts).spark == (0.01, None, 0.04)
    assert cell(ROWS[0], "memory", facts).text == "212\u00a0MB"
    assert cell(ROWS[0], "memory", facts).bar == 212 / 512
    assert cell(ROWS[0], "age", facts).text == "3\u00a0h"


def test_what_is_not_known_is_a_dash() -> None:
    facts = Facts(2000, use=lambda _key: Use(stats(cpu=None, memory=None)))
    assert cell(ROWS[0], "cpu", facts).text == "–"
    assert cell(ROWS[0], "memory", facts).text == "–"
    assert cell(ROWS[3], "cpu", Facts(2000, use=lambda _key: Use(stats()))).text == "–"


def test_the_engines_whole_memory_is_no_limit() -> None:
    assert limit_of(stats(limit=HOST), HOST) == 0
    assert limit_of(stats(limit=0), HOST) == 0
    assert limit_of(stats(limit=512), HOST) == 512


def test_ports_show_two_and_count_the_rest() -> None:
    many = tuple(Port(80 + i, 8000 + i, "127.0.0.1" if i else "0.0.0.0") for i in range(4))
    ports = cell(row("web", ports=many), "ports", Facts(2000))
    assert ports.chips == ("8000", "8001")
    assert ports.open_chips == (True, False)
    assert ports.more == 2
    assert "network" in ports.tooltip


def test_a_port_that_does_not_answer_is_marked_with_the_reason() -> None:
    web = row("web", ports=(Port(80, 8000, "::"), Port(81, 8001, "127.0.0.1")))
    ports = cell(web, "ports", Facts(2000, troubles={("tcp", "", 8000): "node (pid 7) has it."}))
    assert ports.bad_chips == (True, False)
    assert ports.tooltip.splitlines()[0] == "8000 does not answer here. node (pid 7) has it."
    stale = cell(web, "ports", Facts(2000, stale=True, troubles={("tcp", "", 8000): "node (pid 7) has it."}))
    assert not any(stale.bad_chips)


def test_scale_moves_in_steps() -> None:
    assert scale_of([(0.01, None), (0.04,)]) == 0.05
    assert scale_of([(0.6,)]) == 1
    assert scale_of([]) == 0.05


def test_markup_stays_text() -> None:
    assert cell(row("<b>web&"), "name", Facts(2000)).text == "<b>web&"
    assert cell(row("a\u202eb"), "name", Facts(2000)).text == "a\\u202eb"


def test_a_lost_engine_dims_the_age() -> None:
    assert cell(ROWS[0], "age", Facts(2000, stale=True)).token == "text-tertiary"


def test_a_row_below_its_project_has_a_short_name_and_is_found_by_its_whole() -> None:
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    web = replace(row("shop-web-1"), labels=labels)
    (group,) = groups([web], Shape(text="shop-web"), Facts(2000))
    name = dict(zip((c.key for c in COLUMNS), group.rows[0].cells, strict=True))["name"]
    assert (name.text, name.accessible, name.tooltip) == ("web", "shop-web-1", "shop-web-1\nnginx:1")
    (flat,) = groups([web], Shape(grouped=False), Facts(2000))
    assert flat.rows[0].cells[1].text == "shop-web-1"


def test_rows_of_an_engine_that_does_not_answer_are_without_colour() -> None:
    def use(_key: str) -> Use:
        return Use(stats(), (0.1,))

    live, stale = Facts(2000, use), Facts(2000, use, stale=True)
    for one in ROWS:
        for shown in cells(one, stale):
            assert (shown.token, shown.spark, shown.bar) == ("text-tertiary", (), None)
            assert shown.dot in ("", "border-strong")
        assert [c.text for c in cells(one, stale)] == [c.text for c in cells(one, live)]
        assert {c.token for c in cells(one, live)} != {"text-tertiary"}
    assert all(group.faded for group in groups(ROWS, Shape(), stale))
    assert not any(group.faded for group in groups(ROWS, Shape(), live))
