"""Every key of containers, logs, details and builds, pressed: what it does, and that it rests while somebody types."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit

from app.operation import OperationState
from app.pages.builds.page import BuildsPage
from app.pages.containers.inspect import InspectTab
from app.pages.containers.logs import LogsTab
from app.pages.images.page import ImagesPage
from app.pages.run.dialog import RunDialog
from tests.app.keyscene import ALT, CTRL, LINES, SHIFT, Key, add_builds, scene_now

pytestmark = pytest.mark.asyncio


# Containers


@pytest.mark.parametrize("where", ["list", "details"])
async def test_a_container_by_letters(qapp: QApplication, where: str) -> None:
    async with scene_now() as scene:
        opened: list[str] = []
        scene.page.verbs._open_url = opened.append
        await scene.focus("web")
        if where == "details":
            await scene.press(Key.Key_Return)
            await scene.person.until(lambda: scene.page.details is not None and scene.page.details._found, "details")
        await scene.press(Key.Key_P)
        await scene.state("web", "paused")
        await scene.press(Key.Key_P)
        await scene.state("web", "running")
        await scene.press(Key.Key_R)
        await scene.person.until(lambda: any(o.title == "Restart" for o in scene.person.desk.operations.items))
        await scene.person.until(lambda: scene.person.last("Restart").state is OperationState.SUCCEEDED)
        await scene.press(Key.Key_O)
        assert opened == ["http://localhost:8080"]
        await scene.press(Key.Key_C, CTRL | SHIFT)
        assert QGuiApplication.clipboard().text() == "docker stop web"
        await scene.press(Key.Key_Delete)
        await scene.person.sees("It is running and is killed first.")
        await scene.press(Key.Key_Escape)
        await scene.press(Key.Key_S)
        await scene.state("web", "exited")
        await scene.press(Key.Key_S)
        await scene.state("web", "running")
        await scene.press(Key.Key_I)
        await scene.person.until(lambda: scene.page.details is not None and scene.page.details._tab == "inspect")
        await scene.person.until(lambda: scene.page.details is not None and scene.page.details._found)
        await scene.press(Key.Key_L)
        assert scene.page.details is not None
        assert scene.page.details._tab == "logs"


async def test_letters_are_typed_into_fields(qapp: QApplication) -> None:
    async with scene_now() as scene:

        async def typed(field: QLineEdit) -> None:
            field.setFocus()
            await scene.person.rest()
            for letter in "srploi":
                await scene.press(Key(ord(letter.upper())))
            assert field.text() == "srploi"
            await scene.press(Key.Key_Home)
            await scene.press(Key.Key_Delete)
            assert field.text() == "rploi"
            await scene.press(Key.Key_End)
            await scene.press(Key.Key_Backspace)
            assert field.text() == "rplo"
            field.clear()

        await scene.focus("web")
        await typed(scene.page.list.search)
        await scene.details()
        logs = await scene.person.find(LogsTab, "the log", lambda _t: True)
        await typed(logs.field.edit)
        await scene.details("inspect")
        inspect = await scene.person.find(InspectTab, "the tree", lambda _t: True)
        await typed(inspect.search)
        assert not [o for o in scene.person.desk.operations.items]
        assert scene.page.details is not None
        assert scene.page.details._tab == "inspect"
        assert not scene.window.dialogs_open()


async def test_letters_act_while_the_tree_of_inspect_has_the_keyboard(qapp: QApplication) -> None:
    async with scene_now() as scene:
        await scene.details("inspect")
        inspect = await scene.person.find(InspectTab, "the tree", lambda _t: True)
        inspect.tree.setFocus()
        await scene.press(Key.Key_S)
        await scene.state("web", "exited")
        await scene.press(Key.Key_L)
        assert scene.page.details is not None
        assert scene.page.details._tab == "logs"


# Logs, details, dialogs


async def test_the_log_by_keys(qapp: QApplication, tmp_path: Path) -> None:
    async with scene_now() as scene:
        await scene.focus("web")
        await scene.press(Key.Key_L)
        tab = await scene.person.find(LogsTab, "the log", lambda _t: True)
        await scene.person.until(lambda: len(tab.buffer) == len(LINES), "the lines")
        await scene.press(Key.Key_F, CTRL)
        assert QApplication.focusWidget() is tab.field.edit
        QTest.keyClicks(tab.field.edit, "line 5")
        await scene.person.until(lambda: len(tab.search.lines) == 11, "matches")
        await scene.press(Key.Key_F3)
        first = tab.search.current
        await scene.press(Key.Key_F3)
        assert tab.search.current == first + 1
        await scene.press(Key.Key_F3, SHIFT)
        assert tab.search.current == first
        for key, button in (
            (Key.Key_R, tab.regex),
            (Key.Key_C, tab.case),
            (Key.Key_T, tab.times),
            (Key.Key_W, tab.wrap),
        ):
            before = button.isChecked()
            await scene.press(key, ALT)
            assert button.isChecked() is not before
        assert tab.field.edit.text() == "line 5"
        await scene.press(Key.Key_Escape)
        assert tab.field.edit.text() == ""
        tab.view.pause()
        await scene.press(Key.Key_End)
        assert tab.view.following
        await scene.press(Key.Key_S, CTRL)
        chooser = await scene.person.find(QFileDialog, "the file dialog", lambda _d: True)
        chooser.reject()
        await scene.back_to_window()
        tab.view.setFocus()
        await scene.press(Key.Key_Escape)
        assert scene.page.details is None


async def test_ctrl_tab_goes_through_tabs(qapp: QApplication) -> None:
    async with scene_now() as scene:
        await scene.focus("web")
        await scene.press(Key.Key_Return)
        await scene.person.until(lambda: scene.page.details is not None and scene.page.details._found, "details")
        details = scene.page.details
        assert details is not None
        await scene.press(Key.Key_Tab, CTRL)
        assert details._tab == "stats"
        await scene.press(Key.Key_Tab, CTRL | SHIFT)
        assert details._tab == "logs"
        await scene.press(Key.Key_Escape)
        page = cast("ImagesPage", await scene.person.nav("images"))
        await scene.press(Key.Key_Tab, CTRL)
        assert page.detail.tabs.current() == "overview"
        await scene.person.nav("containers")
        await scene.press(Key.Key_N, CTRL)
        dialog = await scene.person.find(RunDialog, "the dialog", lambda _d: True)
        await scene.press(Key.Key_Tab, CTRL)
        assert dialog.tabs.current() == "storage"
        await scene.press(Key.Key_Tab, CTRL | SHIFT)
        assert dialog.tabs.current() == "basic"
        await scene.press(Key.Key_Return, CTRL)
        assert dialog.isVisible()
        assert QApplication.focusWidget() is dialog.image  # the first thing that is missing


# Builds


async def test_a_build_by_keys(qapp: QApplication, tmp_path: Path) -> None:
    async with scene_now() as scene:
        page = cast("BuildsPage", await scene.person.nav("builds"))
        add_builds(page)
        await scene.person.open_row(page.table, "bad:dev")
        await scene.person.until(page.view.isVisible, "the build")
        await scene.press(Key.Key_F8)
        assert QApplication.focusWidget() is page.view.code
        await scene.press(Key.Key_J, CTRL)
        assert not page.view.output.isVisible()
        await scene.press(Key.Key_J, CTRL)
        assert page.view.output.isVisible()
        await scene.press(Key.Key_S, CTRL)
        chooser = await scene.person.find(QFileDialog, "the file dialog", lambda _d: True)
        chooser.fileSelected.emit(str(tmp_path / "out.log"))
        chooser.reject()
        await scene.back_to_window()
        await scene.person.done(scene.person.last("Save output"))
        assert (tmp_path / "out.log").read_text() == "#1 first\n#1 second\n"
        assert (tmp_path / "out.log").stat().st_mode & 0o777 == 0o600
        await scene.press(Key.Key_Escape)
        assert page.table.isVisible()


async def test_ctrl_dot_cancels_a_build_that_runs(qapp: QApplication) -> None:
    async with scene_now() as scene:
        page = cast("BuildsPage", await scene.person.nav("builds"))
        add_builds(page)
        cancelled: list[str] = []
        page.view.cancelled.connect(cancelled.append)
        page.open("good")
        await scene.press(Key.Key_Period, CTRL)
        assert not cancelled  # it has ended
        page.view.cancel.setVisible(True)
        await scene.press(Key.Key_Period, CTRL)
        assert cancelled == ["good"]
