"""Who holds a port: what the programs of macOS and Windows say; Linux is asked itself in tests/app/test_ports.py."""

from __future__ import annotations

import pytest

from backend.holders import holder, lsof_holder, netstat_pid, tasklist_holder

NETSTAT = """
Aktive Verbindungen

  Proto  Lokale Adresse         Remoteadresse          Status           PID
  TCP    0.0.0.0:135            0.0.0.0:0              ABHÖREN         1044
  TCP    127.0.0.1:8080         127.0.0.1:50000        HERGESTELLT      77
  TCP    [::]:8080              [::]:0                 ABHÖREN         4312
  UDP    0.0.0.0:5353           *:*                                    2020
"""


@pytest.mark.parametrize(
    ("port", "protocol", "pid"),
    [(8080, "tcp", "4312"), (135, "tcp", "1044"), (5353, "udp", "2020"), (5353, "tcp", ""), (80, "tcp", "")],
)
def test_netstat_is_read_in_any_language(port: int, protocol: str, pid: str) -> None:
    assert netstat_pid(NETSTAT, port, protocol) == pid


def test_tasklist_names_the_program_and_a_pid_alone_is_still_something() -> None:
    said = '"System Idle, odd.exe","4312","Services","0","8 K"\n'
    assert tasklist_holder(said, "4312") == "System Idle, odd.exe (pid 4312)"
    assert tasklist_holder("INFO: No tasks are running.\n", "4312") == "pid 4312"


def test_lsof_tells_process_and_name() -> None:
    assert lsof_holder("p4121\ncnode\np9\ncother\n") == "node (pid 4121)"
    assert lsof_holder("") == ""
    assert lsof_holder("lsof: unsupported\n") == ""


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_where_its_program_is_missing_nobody_is_named(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert holder(80, platform=platform) == ""
