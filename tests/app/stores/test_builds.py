"""The history of builds: kept across restarts, bounded, for this person alone, and without secrets."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.stores import builds
from app.stores.builds import BuildHistory, BuildRecord
from app.stores.livebuild import MASK, LiveBuild, plain
from backend.types.builds import BuildRequest, BuildStep, ImageBuilt, Planned, StepChanged, StepOutput, StepState


def test_kept_across_restarts(qapp: QApplication, tmp_path: Path) -> None:
    first = BuildHistory(tmp_path)
    first.put(BuildRecord("a", "a:1", "/c", text="FROM x", state=builds.FAILED, started=1, error_line=3), "out")
    first.put(BuildRecord("b", "b:1", "/c", started=2))
    first.close()
    second = BuildHistory(tmp_path)
    assert [r.id for r in second.records] == ["b", "a"]
    assert second.output("a") == "out"
    assert [r.state for r in second.records] == [builds.INTERRUPTED, builds.FAILED]
    second.remove("a")
    assert second.get("a") is None
    second.close()
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_change_without_output_leaves_it(qapp: QApplication, tmp_path: Path) -> None:
    history = BuildHistory(tmp_path)
    history.put(BuildRecord("a", "a:1", "/c", started=1), "out")
    history.put(BuildRecord("a", "a:2", "/c", started=1))
    assert history.output("a") == "out"
    history.close()


def test_broken_file_is_set_aside_and_named(qapp: QApplication, tmp_path: Path) -> None:
    (tmp_path / builds.FILE).write_bytes(b"no database at all" * 100)
    history = BuildHistory(tmp_path)
    assert history.records == ()
    assert Path(history.set_aside).read_bytes().startswith(b"no database")
    assert history.problem == "", "what begins anew is kept"
    history.put(BuildRecord("a", "a:1", "/c", started=1), "out")
    history.close()
    again = BuildHistory(tmp_path)
    assert [r.id for r in again.records] == ["a"]
    again.close()


def test_a_file_with_other_columns_is_set_aside_and_named(qapp: QApplication, tmp_path: Path) -> None:
    """As a later version may leave it."""
    with closing(sqlite3.connect(tmp_path / builds.FILE)) as db:
        db.execute("CREATE TABLE builds (id TEXT PRIMARY KEY, made REAL)")
    history = BuildHistory(tmp_path)
    assert Path(history.set_aside).exists()
    assert history.problem == ""
    history.put(BuildRecord("a", "a:1", "/c", started=1), "out")
    assert history.output("a") == "out"
    history.close()


def test_a_folder_that_cannot_be_used_is_said(qapp: QApplication, tmp_path: Path) -> None:
    history = BuildHistory(tmp_path / "none")
    history.put(BuildRecord("a", "a:1", "/c", started=1), "out")
    assert history.problem
    assert history.output("a") == "out"


def test_bounded(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "MOST_BUILDS", 3)
    history = BuildHistory(tmp_path)
    for number in range(5):
        history.put(BuildRecord(str(number), "a:1", "/c", started=number), "x" * 2_000_000)
    assert [r.id for r in history.records] == ["4", "3", "2"]
    assert len(history.output("4")) == builds.MOST_TEXT
    history.close()


def test_values_of_arguments_are_nowhere(qapp: QApplication, tmp_path: Path) -> None:
    history = BuildHistory(tmp_path)
    live = LiveBuild(BuildRequest(tmp_path, tag="a:1", build_args=(("TOKEN", "canary-7"),)), "FROM canary-7", history)
    step = BuildStep("k", 1, "WORKDIR /canary-7", state=StepState.RUNNING, started=1)
    live.take(Planned((step,)))
    live.take(StepChanged(step))
    live.take(StepOutput("k", "\x1b[31mit is cana"))
    live.take(StepOutput("k", "ry-7\nrest"))
    live.take(ImageBuilt("sha256:1"))
    live.end(builds.FAILED, "canary-7 failed", 1)
    history.close()
    assert not any(b"canary-7" in p.read_bytes() for p in tmp_path.iterdir())
    assert [line.split(" ", 2)[2] for line in live.lines] == [f"it is {MASK}", "rest"]
    assert live.record.arg_names == ("TOKEN",)
    assert live.record.steps[0].state is StepState.SKIPPED


@pytest.mark.parametrize(
    ("raw", "shown"), [("10 %\r20 %\r", "20 %"), ("a\x1b]0;title\x07b", "ab"), ("\x1b[1mx\x1b[0m\t", "x    ")]
)
def test_plain(raw: str, shown: str) -> None:
    assert plain(raw) == shown


def test_each_line_of_a_value_is_masked(qapp: QApplication, tmp_path: Path) -> None:
    key = "-----BEGIN KEY-----\nc2VjcmV0\tpart\n-----END KEY-----"
    history = BuildHistory(tmp_path)
    live = LiveBuild(BuildRequest(tmp_path, build_args=(("KEY", key),)), "RUN echo $KEY\n", history)
    live.take(StepOutput("", "before\nc2VjcmV0\tpart\n-----END KEY-----\nlast\rc2VjcmV0\tpart\n"))
    live.end(builds.FAILED, f"failed: {key}")
    assert list(live.lines) == ["before", MASK, MASK, MASK, f"failed: {MASK}", MASK, MASK]
    assert "c2VjcmV0" not in live.record.error
    history.close()


def test_a_short_value_is_masked_where_its_name_stands(qapp: QApplication, tmp_path: Path) -> None:
    history = BuildHistory(tmp_path)
    given = (("PIN", "123"), ("MODE", "x"), ("EMPTY", ""), ("TWO", "ab\ncdefg"))
    live = LiveBuild(BuildRequest(tmp_path, build_args=given), "ARG PIN=123\nRUN echo 123\n", history)
    live.take(StepOutput("", 'PIN=123 MODE="x" XPIN=123 PIN=1234 123 EMPTY=\n'))
    live.end(builds.FAILED, "failed: PIN=123")
    assert live.lines[0] == f'PIN={MASK} MODE="{MASK}" XPIN=123 PIN=1234 123 EMPTY='
    said = r"""PIN=\"123\" PIN='123' PIN=123.5 MODE=x.5 TWO=ab"""
    assert live.masked(said) == rf"""PIN=\"{MASK}\" PIN='{MASK}' PIN=123.5 MODE=x.5 TWO={MASK}"""
    assert live.record.error == f"failed: PIN={MASK}"
    assert live.record.text.startswith(f"ARG PIN={MASK}")
    history.close()


def test_a_line_that_rewrites_itself_keeps_its_step(qapp: QApplication, tmp_path: Path) -> None:
    history = BuildHistory(tmp_path)
    live = LiveBuild(BuildRequest(tmp_path), "", history)
    live.take(Planned((BuildStep("a", 2, "RUN x"),)))
    live.take(StepOutput("a", "10 %\r50 %\r100 %\n"))
    live.end(builds.SUCCEEDED)
    assert list(live.lines) == ["#2 0.0 100 %"]
    history.close()
