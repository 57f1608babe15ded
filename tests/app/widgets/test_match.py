"""What somebody types finds what he means, the closest first."""

from __future__ import annotations

import pytest

from app.widgets.match import best, score, score_all, words_of


def found(typed: str, *names: str) -> list[str]:
    words = words_of(typed)
    return best(words, [(score_all(words, name), name) for name in names], 10)


@pytest.mark.parametrize(
    ("typed", "names", "order"),
    [
        ("web", ("my-web", "cobweb", "web-2", "web"), ["web", "web-2", "my-web", "cobweb"]),
        ("web", ("website", "web-2"), ["web-2", "website"]),
        ("sto", ("Restore", "Stop", "shop_store"), ["Stop", "shop_store", "Restore"]),
        ("stop web", ("Stop web", "Stop db", "Start web"), ["Stop web"]),
        ("web stop", ("Stop web", "Stop db"), ["Stop web"]),
        ("ngx", ("nginx", "postgres", "engine x"), ["nginx"]),
        ("WEB", ("Web",), ["Web"]),
        ("  ", ("b", "a"), ["b", "a"]),
        ("shop-w", ("shop-db-1", "shop-web-1"), ["shop-web-1"]),
        ("straße", ("STRASSE",), ["STRASSE"]),
        ("zzz", ("nginx",), []),
    ],
)
def test_the_closest_comes_first(typed: str, names: tuple[str, ...], order: list[str]) -> None:
    assert found(typed, *names) == order


def test_equals_stay_in_their_order() -> None:
    assert found("w", "w-2", "w-1", "w-3") == ["w-2", "w-1", "w-3"]


def test_other_words_count_a_little_less() -> None:
    words = words_of("reload")
    assert 0 < score_all(words, "Load again", "reload refresh") < score_all(words, "Reload it now")
    assert score_all(words_of("rlh"), "Load again", "reload refresh") == 0


def test_one_letter_fits_beginnings_alone() -> None:
    assert score("e", "web") == 0
    assert score("w", "web") > 0


def test_a_name_without_end_is_looked_at_as_far_as_it_is_shown() -> None:
    assert score_all(["end"], "x" * 65_536 + "end") == 0
    assert score_all(["x"], "x" * 65_536) > 0


def test_the_list_has_an_end() -> None:
    assert len(best(["w"], [(score("w", "web"), n) for n in range(500)], 100)) == 100
