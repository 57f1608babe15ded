"""Images as rows: references, users, order, and what a clean-up would take."""

from __future__ import annotations

from app.models.images import (
    Freed,
    chosen,
    created_age,
    freed,
    name_cell,
    ordered,
    rows_of,
    size_of,
    table_rows,
    unused,
    used_words,
    users_by_image,
)
from backend.types.containers import ContainerId, ContainerSummary
from backend.types.images import ImageId, ImageSummary, StoredLayer

NOW = 1_700_000_000.0


def image(key: str, *tags: str, size: int = 100, created: int = 0, parent: str = "") -> ImageSummary:
    return ImageSummary(
        id=ImageId(f"sha256:{key * 64}"), repo_tags=tags or ("<none>:<none>",), size=size, created=created,
        parent_id=parent,
    )  # fmt: skip


def container(name: str, of: ImageSummary, state: str = "running") -> ContainerSummary:
    return ContainerSummary(id=ContainerId(name * 12), names=(f"/{name}",), image_id=of.id, state=state)


A = image("a", "shop-api:dev", "shop-api:1", size=300, created=int(NOW) - 7200)
B = image("b", "localhost:5000/team/base", size=100, created=int(NOW) - 90_000)
C = image("c", size=50)


def test_each_reference_is_a_row_and_an_untagged_image_is_one_too() -> None:
    rows = rows_of([A, B, C], {})
    assert [row.title for row in rows] == ["shop-api:dev", "shop-api:1", "localhost:5000/team/base", "c" * 12]
    assert len({row.key for row in rows}) == 4


def test_segments_and_search() -> None:
    rows = rows_of([A, B, C], users_by_image([container("web", A)]))
    assert [r.title for r in chosen(rows, "", "used")] == ["shop-api:dev", "shop-api:1"]
    assert [r.title for r in chosen(rows, "TEAM", "all")] == ["localhost:5000/team/base"]
    assert [r.title for r in chosen(rows, "cccc", "unused")] == ["c" * 12]


def test_order() -> None:
    rows = rows_of([C, B, A], {})
    by_name = ["localhost:5000/team/base", "shop-api:1", "shop-api:dev", "c" * 12]
    assert [r.title for r in ordered(rows, "image", False)] == by_name
    assert [r.image.size for r in ordered(rows, "size", True)] == [300, 300, 100, 50]
    assert [r.image.id[7] for r in ordered(rows, "age", False)] == ["a", "a", "b", "c"]


def test_cells_say_repository_tag_use_and_age() -> None:
    (group,) = table_rows(rows_of([A, B], users_by_image([container("web", A)])), NOW)
    first, _, port = group.rows
    assert (first.cells[0].text, first.cells[0].secondary, first.cells[0].dot) == ("shop-api", "dev", "success-fill")
    assert "Used by web" in first.cells[0].tooltip
    assert [cell.text for cell in first.cells[1:]] == ["300\u00a0B", "2\u00a0h"]
    assert (port.cells[0].text, port.cells[0].secondary) == ("localhost:5000/team/base", "")


def test_rows_of_an_engine_that_does_not_answer_are_faded() -> None:
    (group,) = table_rows(rows_of([A], users_by_image([container("web", A)])), NOW, stale=True)
    cells = group.rows[0].cells
    assert {cell.token for cell in cells} == {"text-tertiary"}
    assert (cells[0].text, cells[0].dot, cells[1].text) == ("shop-api", "border-strong", "300\u00a0B")


def test_a_stopped_user_gives_a_quiet_dot() -> None:
    (row,) = rows_of([B], users_by_image([container("old", B, "exited")]))
    assert name_cell(row).dot == "text-disabled"


def test_a_name_stands_before_longer_ones_whatever_its_tag() -> None:
    rows = rows_of([image("1", "web-2:a", "web:z", "localhost:5000/web:b", "web:a")], {})
    names = [row.reference for row in ordered(rows, "image", descending=False)]
    assert names == ["localhost:5000/web:b", "web:a", "web:z", "web-2:a"]


def test_an_image_without_a_date_has_no_age() -> None:
    assert created_age(0, NOW) == "–"
    assert created_age(-62_135_596_800, NOW) == "–"


def test_a_clean_up_takes_what_nobody_uses_and_nothing_stands_on() -> None:
    base, child = image("d"), image("e", parent=f"sha256:{'d' * 64}")
    users = users_by_image([container("web", A)])
    assert unused([A, B, C, base, child], users, dangling=True) == [C, child]
    assert unused([A, B, C], users, dangling=False) == [B, C]
    grandchild = image("f", parent=B.id)
    assert unused([A, B, C, grandchild], users, dangling=False) == [B, C, grandchild]


BASE, OWN = StoredLayer("base", 100), StoredLayer("own", 7)


def test_layers_count_once_and_only_when_all_are_known() -> None:
    stacks = {A.id: (BASE, OWN), B.id: (BASE,), C.id: (BASE, StoredLayer("other", 3))}
    assert size_of([A, B, C], stacks) == 110
    assert size_of([A, B], {A.id: (BASE,)}) is None


def test_a_removal_frees_what_no_other_image_holds() -> None:
    stacks = {A.id: (BASE, OWN), B.id: (BASE,), C.id: (BASE, OWN, StoredLayer("kit", 3, buildkit=True))}
    assert freed([A], [A, B], stacks) == Freed(7)
    assert freed([A], [A, B, C], stacks) == Freed(0)
    assert freed([A, C], [A, B, C], stacks) == Freed(10, most=True)
    assert freed([A, B], [A, B], stacks) == Freed(107)
    assert freed([A], [A, B], {A.id: (OWN,)}) is None


def test_users_in_words() -> None:
    users = [container(name, A) for name in ("api", "db", "etl", "web")]
    assert used_words(users[:2]) == "api, db"
    assert used_words(users).startswith("api, db and 2")
