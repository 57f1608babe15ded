"""A crash leaves a report that the next start finds, and a clean end leaves none."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.crash import left_reports

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
