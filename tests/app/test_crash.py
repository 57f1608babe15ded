"""A crash leaves a report that a later start finds once, and a clean end leaves none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.crash import keep, left_reports
from app.pages.settings.reports import CrashReportDialog
from app.theme import Theme
from app.widgets.buttons import Button

PROGRAM = """
import os, sys, ctypes
from pathlib import Path
from app.crash import CrashRecorder
recorder = CrashRecorder(Path(sys.argv[1]), "1.2.3")
secret = "canary-value"
def deep(password):
    if sys.argv[2] == "fault":
        ctypes.string_at(0)
    if sys.argv[2] == "raise":
        try:
            raise ValueError(password)
        except ValueError as error:
            recorder.record(type(error), error.__traceback__)
deep(secret)
recorder.close()
"""


LIVING = """
import sys
from pathlib import Path
from app.crash import CrashRecorder
recorder = CrashRecorder(Path(sys.argv[1]), "1.2.3")
recorder.record(ValueError, None)
print("ready", flush=True)
sys.stdin.read()
"""
OLD = "Pilothouse 1.2.3\nFatal Python error: Segmentation fault\n"


def run(folder: Path, what: str) -> int:
    return subprocess.run([sys.executable, "-c", PROGRAM, str(folder), what], check=False).returncode


def test_a_segmentation_fault_leaves_a_report(tmp_path: Path) -> None:
    assert run(tmp_path, "fault") == -signal.SIGSEGV
    (report,) = left_reports(tmp_path)
    assert "Pilothouse 1.2.3" in report.text
    assert "Segmentation fault" in report.text
    assert "in deep" in report.text
    assert "canary" not in report.text
    assert report.path.stat().st_mode & 0o777 == 0o600


def test_an_exception_leaves_a_report_without_its_value(tmp_path: Path) -> None:
    assert run(tmp_path, "raise") == 0
    (report,) = left_reports(tmp_path)
    assert "ValueError" in report.text
    assert "canary" not in report.text


@pytest.mark.parametrize("what", ["nothing"])
def test_a_clean_end_leaves_nothing(tmp_path: Path, what: str) -> None:
    assert run(tmp_path, what) == 0
    assert left_reports(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_report_is_offered_whoever_has_its_number_now(tmp_path: Path) -> None:
    """In a container the next run has the number of the one that crashed."""
    assert run(tmp_path, "fault") == -signal.SIGSEGV
    (report,) = left_reports(tmp_path)
    _, _, started = report.path.stem.split("-")
    for name in (f"crash-{os.getpid()}-{started}.txt", "crash-1.txt", f"crash-{os.getpid()}.txt"):
        (tmp_path / name).write_text(OLD)
    assert len(left_reports(tmp_path)) == 4


def test_a_run_with_the_same_number_leaves_the_report_alone(tmp_path: Path) -> None:
    names = [f"crash-{os.getpid()}.txt", f"crash-{os.getpid()}-1.txt"]
    for name in names:
        (tmp_path / name).write_text(OLD)
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom app.crash import CrashRecorder\n"
        "os.getpid = lambda: int(sys.argv[2])\nCrashRecorder(Path(sys.argv[1]), '1.2.3').close()\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path), str(os.getpid())], check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert [report.text for report in left_reports(tmp_path)] == [OLD, OLD]


def test_what_a_living_run_writes_is_left_to_it(tmp_path: Path) -> None:
    words = [sys.executable, "-c", LIVING, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as living:
        assert living.stdout is not None
        assert living.stdout.readline() == b"ready\n"
        assert left_reports(tmp_path) == []
        assert len(list(tmp_path.iterdir())) == 1
        living.kill()
    (report,) = left_reports(tmp_path)
    assert "ValueError" in report.text


def test_what_was_kept_is_not_offered_again_and_stays(tmp_path: Path) -> None:
    for text in (OLD, OLD + "again\n"):
        (tmp_path / "crash-1.txt").write_text(text)
        (report,) = left_reports(tmp_path)
        keep(report)
        assert left_reports(tmp_path) == []
    kept = sorted(tmp_path.iterdir())
    assert [path.name for path in kept] == ["kept-1-2.txt", "kept-1.txt"]
    assert [path.read_text() for path in kept] == [OLD + "again\n", OLD]


@pytest.mark.parametrize(
    ("key", "stays"), [(Qt.Key.Key_Escape, 2), ("Keep it", 2), ("Delete it", 0)], ids=["Esc", "keep", "delete"]
)
def test_a_report_is_offered_once(qapp: QApplication, tmp_path: Path, key: Qt.Key | str, stays: int) -> None:
    for number in (1, 2):
        (tmp_path / f"crash-{number}.txt").write_text(OLD)
    window = QWidget()
    window.resize(1280, 800)
    window.show()
    dialog = CrashReportDialog(Theme("light"), window, left_reports(tmp_path))
    dialog.open()
    if isinstance(key, str):
        (button,) = (button for button in dialog.findChildren(Button) if button.text() == key)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    else:
        QTest.keyClick(dialog, key)
    assert left_reports(tmp_path) == []
    assert len(list(tmp_path.glob("kept-*.txt"))) == stays
    window.close()
