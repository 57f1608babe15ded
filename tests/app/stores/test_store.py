"""A store tells exactly what changed, once a step."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from app.stores.store import Delta, Store


@dataclass(frozen=True)
class Thing:
    key: str
    value: int = 0


@pytest.fixture
def told(qapp: QApplication) -> tuple[Store[Thing], list[Delta]]:
    store: Store[Thing] = Store(lambda t: t.key)
    deltas: list[Delta] = []
    store.changed.connect(deltas.append)
    return store, deltas


def test_a_snapshot_replaces_everything(told: tuple[Store[Thing], list[Delta]]) -> None:
    store, deltas = told
    store.replace([Thing("a"), Thing("b")])
    store.replace([Thing("b", 1), Thing("c")])
    assert deltas == [Delta(added=("a", "b"), reset=True), Delta(("c",), ("b",), ("a",))]
    assert list(store.values) == ["b", "c"]


def test_an_equal_snapshot_says_nothing(told: tuple[Store[Thing], list[Delta]]) -> None:
    store, deltas = told
    store.replace([Thing("a")])
    store.replace([Thing("a")])
    assert len(deltas) == 1


def test_the_first_snapshot_is_told_though_empty(told: tuple[Store[Thing], list[Delta]]) -> None:
    store, deltas = told
    store.replace([])
    assert deltas == [Delta(reset=True)]
    assert store.loaded


def test_few_changes(told: tuple[Store[Thing], list[Delta]]) -> None:
    store, deltas = told
    store.replace([Thing("a"), Thing("b")])
    store.apply([Thing("a"), Thing("b", 2), Thing("c")], ["x"])
    store.apply((), ["a"])
    store.apply([Thing("b", 2)])
    assert deltas[1:] == [Delta(("c",), ("b",)), Delta(removed=("a",))]


def test_staleness_is_told_once_and_ends_with_a_snapshot(told: tuple[Store[Thing], list[Delta]]) -> None:
    store, _ = told
    flags: list[bool] = []
    store.stale_changed.connect(flags.append)
    store.replace([Thing("a")])
    store.mark_stale(True)
    store.mark_stale(True)
    assert list(store.values) == ["a"]
    store.replace([Thing("a")])
    assert flags == [True, False]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("replace"), st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 2)))),
        st.tuples(st.just("apply"), st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 2)))),
        st.tuples(st.just("remove"), st.lists(st.tuples(st.sampled_from("abcd"), st.just(0)))),
    )
)


@given(steps)
def test_who_follows_the_deltas_ends_with_the_same_values(script: list[tuple[str, list[tuple[str, int]]]]) -> None:
    store: Store[Thing] = Store(lambda t: t.key)
    mirror: dict[str, Thing] = {}

    def follow(delta: Delta) -> None:
        for key in delta.removed:
            del mirror[key]
        for key in delta.added:
            assert key not in mirror
            mirror[key] = store.values[key]
        for key in delta.changed:
            assert mirror[key] != store.values[key]
            mirror[key] = store.values[key]

    store.changed.connect(follow)
    for verb, pairs in script:
        things = [Thing(k, v) for k, v in dict(pairs).items()]
        if verb == "replace":
            store.replace(things)
        elif verb == "apply":
            store.apply(things)
        else:
            store.apply((), [t.key for t in things])
        assert mirror == dict(store.values)
