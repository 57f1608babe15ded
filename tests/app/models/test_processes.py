"""Processes from whatever columns the engine's ps has."""

from app.models.processes import processes, rows
from backend.types.containers import Top

NEW = Top(
    ("PID", "USER", "%CPU", "RSS", "ELAPSED", "COMMAND"),
    (("1", "root", "0.3", "1000", "60", "sh -c x"), ("14", "app", "2.1", "85000", "30", "gunicorn")),
)
OLD = Top(("UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"), (("root", "7", "1", "0", "1", "?", "0", "top"),))


def test_columns_that_were_asked_for() -> None:
    first, second = processes(NEW)
    assert (first.pid, first.user, first.command) == (1, "root", "sh -c x")
    assert second.cpu == 0.021
    assert second.memory == 85000 * 1024
    assert second.age == 30


def test_columns_of_another_ps() -> None:
    (only,) = processes(OLD)
    assert (only.pid, only.user, only.command, only.memory) == (7, "root", "top", None)


def test_short_and_missing_rows() -> None:
    assert processes(Top()) == ()
    assert processes(Top(("PID", "CMD"), (("1",),))) == ()
    assert processes(Top(("PID", "CMD"), (("x", "sh"),)))[0].pid == 0


def test_order() -> None:
    (group,) = rows(processes(NEW), "cpu", True)
    assert [row.key for row in group.rows] == ["14", "1"]
    (group,) = rows(processes(NEW), "command", False)
    assert [row.key for row in group.rows] == ["14", "1"]
