"""The question before a removal: it says what goes with its box as it stands."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QWidget

from app.pages.containers.removal import RemoveQuestion, words_for
from app.stores.store import Store
from app.theme import Theme
from app.widgets.confirm import Confirm
from app.widgets.text import PlainLabel
from backend.types.containers import ContainerId, ContainerSummary, Mount


def said(dialog: Confirm) -> list[str]:
    return [label.text() for label in dialog.findChildren(PlainLabel) if label.isVisible()]


VOLUMES = {letter: Mount(type="volume", name=letter * 64, destination="/data") for letter in "abc"}


def container(letter: str, state: str = "exited", mounts: str = "") -> ContainerSummary:
    return ContainerSummary(
        id=ContainerId(letter * 64), names=(f"/{letter}",), state=state, mounts=tuple(VOLUMES[m] for m in mounts)
    )


class Asked:
    """A question about the containers a and b of a store, and what was answered."""

    def __init__(self, app: QApplication, *rows: ContainerSummary) -> None:
        self.store: Store[ContainerSummary] = Store(lambda row: row.id)
        self.store.replace(rows)
        self.told: list[tuple[list[str], bool]] = []
        theme = Theme("light", app)
        theme.apply(app)
        self.window = QWidget()
        self.window.resize(900, 600)
        self.window.show()
        ids = [row.id for row in rows if row.name in "ab"]
        self.dialog = RemoveQuestion(theme, self.window, self.store, ids, {}, "", self._on_chosen)
        self.dialog.open()

    def _on_chosen(self, rows: list[ContainerSummary], volumes: bool) -> None:
        self.told.append(([f"{row.name} {row.state}" for row in rows], volumes))

    def says(self, part: str) -> bool:
        return any(part in words for words in said(self.dialog))


def test_what_is_said_of_anonymous_volumes_follows_their_box(qapp: QApplication) -> None:
    asked = Asked(qapp, container("a", mounts="a"), container("b", mounts="b"))
    dialog = asked.dialog
    box = dialog._boxes["volumes"]
    for ticked in (False, True, False, True):
        assert box.isChecked() == ticked
        end = "goes too" if ticked else "stays"
        other = "stays" if ticked else "goes too"
        assert f"volume {'a' * 12}, mounted at /data, {end}" in said(dialog)
        assert f"volume {'b' * 12}, mounted at /data, {end}" in said(dialog)
        assert not any(words.endswith(other) for words in said(dialog))
        volumes = " and 2\u00a0volumes" if ticked else ""
        assert dialog.act.text() == f"Remove 2\u00a0containers{volumes}"
        box.click()
    box.setChecked(True)
    dialog.act.click()
    assert asked.told == [(["a exited", "b exited"], True)]
    asked.window.deleteLater()


def test_a_question_left_open_says_what_goes_now(qapp: QApplication) -> None:
    asked = Asked(qapp, container("a"), container("b", mounts="b"))
    asked.dialog._boxes["volumes"].click()
    assert not asked.says("killed")
    asked.store.apply([container("a", "running")])
    assert asked.says("1 of them is running and is killed first.")
    assert asked.says("a, running")
    asked.store.apply([container("b", "paused", "b")])
    assert asked.says("2 of them are paused or running and are killed first.")
    asked.store.apply(removals=["b" * 64])
    assert asked.says("Remove a?")
    assert asked.says("It is running and is killed first.")
    assert not asked.says("volume")
    assert asked.dialog.keep.text() == "Keep it"
    assert not asked.dialog._boxes["volumes"].isVisible()
    asked.dialog.act.click()
    assert asked.told == [(["a running"], False)]
    asked.window.deleteLater()


def test_a_question_whose_containers_are_gone_closes(qapp: QApplication) -> None:
    asked = Asked(qapp, container("a"))
    asked.store.apply(removals=["a" * 64])
    asked.dialog.act.click()
    assert asked.dialog._done
    assert not asked.told
    asked.window.deleteLater()


def test_a_change_that_was_not_shown_yet_is_shown_before_it_is_done(qapp: QApplication) -> None:
    asked = Asked(qapp, container("a", "created"))
    asked.store.blockSignals(True)
    asked.store.apply([container("a", "running")])
    asked.dialog.act.click()
    assert not asked.told
    assert asked.says("It is running and is killed first.")
    asked.dialog.act.click()
    assert asked.told == [(["a running"], False)]
    asked.window.deleteLater()


def test_a_volume_that_another_container_uses_stays(qapp: QApplication) -> None:
    asked = Asked(qapp, container("a", mounts="ab"), container("b", mounts="b"), container("c", mounts="a"))
    asked.dialog._boxes["volumes"].click()
    assert asked.says(f"volume {'a' * 12} at /data, stays: c uses it")
    assert asked.says(f"volume {'b' * 12}, mounted at /data, goes too")
    assert asked.dialog._boxes["volumes"].text() == "Remove 1\u00a0anonymous volume too"
    assert asked.dialog.act.text() == "Remove 2\u00a0containers and volume"
    alone = words_for([container("a", mounts="a")], [container("c", mounts="a")], {}, "", True)
    assert not alone.option
    asked.window.deleteLater()
