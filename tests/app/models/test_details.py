"""The overview of a container: what is said of an inspect."""

from app.models.details import Line, sections
from backend.types.containers import (
    ContainerConfig,
    ContainerDetails,
    ContainerState,
    Health,
    HealthProbe,
    HostConfig,
    Mount,
    NetworkSettings,
    PortBinding,
    RestartPolicy,
)


def lines(details: ContainerDetails, key: str) -> dict[str, Line]:
    found = next(section for section in sections(details, 1000.0) if section.key == key)
    return {line.name: line for line in found.lines}


def test_an_empty_inspect_has_every_section() -> None:
    keys = [section.key for section in sections(ContainerDetails(), 1000.0)]
    assert keys == ["state", "ports", "mounts", "networks", "run", "limits", "env", "labels"]


def test_state_says_why() -> None:
    health = Health("unhealthy", 3, (HealthProbe(output="<b>no</b>\n"),))
    details = ContainerDetails(
        state=ContainerState(
            "exited", oom_killed=True, exit_code=137, finished_at="1970-01-01T00:10:00Z", health=health
        )
    )
    found = lines(details, "state")
    assert found["Exit code"].warn == "Out of memory"
    assert found["Health"].warn == "3\u00a0failed checks"
    assert found["Last check"].value == "<b>no</b>"


def test_ports_open_to_the_network_are_marked() -> None:
    ports: dict[str, tuple[PortBinding, ...] | None] = {
        "80/tcp": (PortBinding("0.0.0.0", "8080"), PortBinding("::", "8080")),
        "443/tcp": (PortBinding("127.0.0.1", "8443"),),
        "9000/tcp": None,
        "9" * 5000: None,
    }
    found = lines(ContainerDetails(network_settings=NetworkSettings(ports=ports)), "ports")
    assert found["80/tcp"].warn == "Open to the network"
    assert found["443/tcp"].value == "127.0.0.1:8443"
    assert found["443/tcp"].warn == ""
    assert found["9000/tcp"].value == "exposed, not published"


def test_a_port_that_does_not_answer_says_why() -> None:
    ports: dict[str, tuple[PortBinding, ...] | None] = {"80/tcp": (PortBinding("0.0.0.0", "80"),)}
    ports["53/udp"] = (PortBinding("127.0.0.1", "53"),)
    details = ContainerDetails(network_settings=NetworkSettings(ports=ports))
    found = {line.name: line for line in sections(details, 0, {("udp", "127.0.0.1", 53): "Taken."})[1].lines}
    assert found["53/udp"].warn == "Taken."
    assert found["80/tcp"].warn == "Open to the network"


def test_environment_is_secret() -> None:
    found = lines(ContainerDetails(config=ContainerConfig(env=("A=1=2", "B"))), "env")
    assert found["A"].secret
    assert found["A"].value == "1=2"
    assert found["B"].value == ""


def test_mounts_and_limits() -> None:
    details = ContainerDetails(
        mounts=(
            Mount("volume", "f" * 64, destination="/data"),
            Mount("bind", source="/srv", destination="/x", rw=False),
        ),
        host_config=HostConfig(memory=512_000_000, restart_policy=RestartPolicy("on-failure", 3), privileged=True),
    )
    assert lines(details, "mounts")["/data"].value == f"volume {'f' * 12}, anonymous"
    assert lines(details, "mounts")["/x"].warn == "Read only"
    assert lines(details, "limits")["Memory"].value == "512\u00a0MB"
    assert lines(details, "limits")["Restart"].value == "on failure, 3\u00a0times at most"
    assert lines(details, "limits")["Privileged"].warn
