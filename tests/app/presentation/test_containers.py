"""States, ports and groups in words."""

import os

import pytest

from app.presentation import (
    Reason,
    folder_text,
    group_of,
    image_text,
    is_problem,
    is_running,
    is_stopped,
    port_text,
    published_ports,
    reason_of,
    state_of,
)
from app.presentation.containers import port_tip, short_names, wants_reason
from backend.types.containers import ContainerDetails, ContainerId, ContainerState, ContainerSummary, Health, Port


def row(
    state: str, status: str = "", ports: tuple[Port, ...] = (), labels: dict[str, str] | None = None
) -> ContainerSummary:
    return ContainerSummary(
        id=ContainerId("a" * 64), names=("/web",), state=state, status=status, ports=ports, labels=labels
    )


@pytest.mark.parametrize(
    ("state", "status", "reason", "words", "role"),
    [
        ("running", "Up 3 hours", None, "Running", "success"),
        ("running", "Up 3 hours (healthy)", None, "Running", "success"),
        ("running", "Up 3 s (health: starting)", None, "Running starting", "success"),
        ("running", "Up 3 hours (unhealthy)", None, "Unhealthy", "warning"),
        ("running", "Up 3 hours (unhealthy)", Reason(failing=3), "Unhealthy 3 failed checks", "warning"),
        ("paused", "Up 6 days (Paused)", None, "Paused", ""),
        ("restarting", "Restarting (1) 2 seconds ago", Reason(restarts=4), "Restarting 4th try", "warning"),
        ("restarting", "Restarting (1) 2 seconds ago", Reason(restarts=11), "Restarting 11th try", "warning"),
        ("restarting", "Restarting (1) 2 seconds ago", Reason(restarts=22), "Restarting 22nd try", "warning"),
        ("exited", "Exited (0) 2 hours ago", None, "Exited 0", ""),
        ("exited", "Exited (137) 2 hours ago", None, "Exited 137 killed", ""),
        ("exited", f"Exited ({'9' * 5000}) 2 hours ago", None, "Exited", ""),
        ("exited", "Exited (137) 2 hours ago", Reason(oom=True), "Exited 137 out of memory", "danger"),
        ("exited", "Exited (127) 2 hours ago", None, "Exited 127 command not found", "danger"),
        ("exited", "Exited (1) 2 hours ago", None, "Exited 1", "danger"),
        ("exited", "", None, "Exited", ""),
        ("stopped", "", None, "Exited", ""),
        ("created", "Created", None, "Created", ""),
        ("configured", "", None, "Created", ""),
        ("dead", "Dead", None, "Dead could not be removed", "danger"),
        ("removing", "Removal In Progress", None, "Removing", ""),
        ("unknown", "", None, "Unknown", ""),
        ("<b>odd</b>", "<i>", None, "Unknown", ""),
    ],
)
def test_states(state: str, status: str, reason: Reason | None, words: str, role: str) -> None:
    view = state_of(row(state, status), reason)
    assert f"{view.word} {view.reason}".strip().replace("\u00a0", " ") == words
    assert view.role == role
    assert view.calm == (role in ("", "success"))


def test_segments() -> None:
    assert is_running(row("running", "Up 1 s (unhealthy)"))
    assert not is_running(row("paused"))
    assert is_stopped(row("created"))
    assert is_stopped(row("exited", "Exited (1) 1 s ago"))
    assert not is_stopped(row("restarting"))
    assert is_problem(row("exited", "Exited (1) 1 s ago"))
    assert not is_problem(row("exited", "Exited (143) 1 s ago"))


def test_only_rows_in_trouble_are_inspected() -> None:
    assert wants_reason(row("exited", "Exited (137) 1 s ago"))
    assert wants_reason(row("running", "Up 1 s (unhealthy)"))
    assert wants_reason(row("restarting"))
    assert not wants_reason(row("running", "Up 1 s"))
    assert not wants_reason(row("exited", "Exited (1) 1 s ago"))


def test_reason_of_an_inspect() -> None:
    details = ContainerDetails(
        state=ContainerState(oom_killed=True, error="no", health=Health(failing_streak=3)), restart_count=4
    )
    assert reason_of(details) == Reason(True, 3, 4, "no")


def test_ports_are_paired_and_sorted() -> None:
    ports = published_ports(
        row(
            "running",
            ports=(
                Port(443, 8443, "127.0.0.1"), Port(80, 8080, "0.0.0.0"), Port(80, 8080, "::"), Port(9000),
                Port(53, 53, "10.0.0.1", "udp"),
            ),
        )
    )  # fmt: skip
    assert [port_text(p) for p in ports] == ["53/udp", "8080", "8443"]
    assert [p.open for p in ports] == [False, True, False]
    assert [p.url() for p in ports] == ["", "http://localhost:8080", "https://localhost:8443"]
    assert ports[1].url("10.1.1.1") == "http://10.1.1.1:8080"
    assert "network" in port_tip(ports[1])


def test_address_of_a_port_on_one_interface() -> None:
    (port,) = published_ports(row("running", ports=(Port(80, 8080, "fd00::1"),)))
    assert port.url() == "http://[fd00::1]:8080"


def test_names_below_the_heading_of_their_project() -> None:
    def member(name: str, service: str, project: str = "shop") -> ContainerSummary:
        labels = {"com.docker.compose.project": project, "com.docker.compose.service": service}
        return ContainerSummary(id=ContainerId(name), names=(f"/{name}",), image="i", state="running", labels=labels)

    names = ("shop-db-1", "db"), ("shop-web-1", "web"), ("shop-web-2", "web"), ("shop_old_1", "old")
    given = ("chosen", "worker"), ("shop-web-x", "web"), ("shop-other-1", "web"), ("shop", "web")
    assert short_names(member(*words) for words in (*names, *given)) == {
        "shop-db-1": "db", "shop-web-1": "web 1", "shop-web-2": "web 2", "shop_old_1": "old",
    }  # fmt: skip
    assert short_names([member("a-b-my-api-1", "my-api", "a-b")]) == {"a-b-my-api-1": "my-api"}


def test_groups_and_names() -> None:
    labels = {
        "com.docker.compose.project": "shop",
        "com.docker.compose.project.working_dir": os.path.expanduser("~/code/shop"),
    }
    assert group_of(row("running", labels=labels)) == ("shop", folder_text(os.path.expanduser("~/code/shop")))
    assert group_of(row("running")) == ("", "")
    assert image_text("docker.io/library/nginx:1") == "nginx:1"
    assert image_text("sha256:" + "ab" * 32) == "abababababab"
    assert image_text("ghcr.io/a/b:c") == "ghcr.io/a/b:c"
