"""Ports: free or taken as the system says, who holds one, and the next that is free."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import ports
from app.commands.ports import check_port, check_row, free_ports, publishers
from app.commands.run.form import PortRow
from app.ports import PortAnswer
from backend.holders import proc_holder
from backend.types.containers import ContainerId, ContainerSummary, Port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_is_free_or_taken_by_a_named_program(taken: int) -> None:
    answer = ports.check(taken)
    assert not answer.free
    assert f"(pid {os.getpid()})" in answer.holder
    assert answer.next_free > taken
    assert ports.check(answer.next_free).free


def test_the_next_free_port_leaves_out_those_of_the_form(taken: int) -> None:
    first = ports.check(taken).next_free
    assert ports.check(taken, avoid=(first,)).next_free > first


def test_udp_beside_tcp(taken: int) -> None:
    assert ports.check(taken, protocol="udp").free
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        assert not ports.check(bound.getsockname()[1], protocol="udp").free


def test_a_taken_port_on_one_address_is_taken_for_all(taken: int) -> None:
    assert not ports.check(taken, "").free
    assert ports.check(taken, "127.0.0.2").free


def test_who_holds_it_is_empty_where_the_system_does_not_tell(taken: int, tmp_path: Path) -> None:
    assert proc_holder(taken, proc=tmp_path) == ""


def _web(state: str = "running", address: str = "127.0.0.1") -> ContainerSummary:
    return ContainerSummary(
        id=ContainerId("a" * 64), names=("/web",), state=state, ports=(Port(private=80, public=8080, ip=address),)
    )


@pytest.mark.parametrize(
    ("published", "wanted", "name"),
    [
        ("127.0.0.1", "127.0.0.1", "web"),
        ("0.0.0.0", "127.0.0.1", "web"),
        ("127.0.0.1", "", "web"),
        ("127.0.0.1", "127.0.0.2", ""),
    ],
)
def test_the_container_that_publishes_a_port_is_named(published: str, wanted: str, name: str) -> None:
    assert publishers([_web(address=published)], wanted, "tcp") == ({8080: name} if name else {})
    assert publishers([_web(address=published)], wanted, "udp") == {}


@pytest.mark.asyncio
async def test_an_sctp_port_is_looked_at_where_the_system_knows_sctp() -> None:
    row = PortRow("45321", "80", "sctp", "127.0.0.1")
    if not ports.can_ask("sctp"):
        answer = await check_row(row, local=True, published={})
        assert (answer.free, answer.known) == (True, False)
        return
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132) as held:
        held.bind(("127.0.0.1", 45321))
        held.listen()
        answer = await check_row(row, local=True, published={})
        assert answer.held
        assert f"(pid {os.getpid()})" in answer.holder
    assert await check_row(row, local=True, published={}) == PortAnswer(True)


def test_the_holder_of_an_sctp_port_is_found_in_its_own_table(tmp_path: Path) -> None:
    (tmp_path / "net" / "sctp").mkdir(parents=True)
    (tmp_path / "net" / "sctp" / "eps").write_text(
        " ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS\n"
        "ffff9a1c ffff9a1b 2   10  29   45321   0   777 127.0.0.1\n"
    )
    (tmp_path / "41" / "fd").mkdir(parents=True)
    (tmp_path / "41" / "comm").write_text("relay\n")
    (tmp_path / "41" / "fd" / "3").symlink_to("socket:[777]")
    assert proc_holder(45321, "sctp", tmp_path) == "relay (pid 41)"
    assert proc_holder(45322, "sctp", tmp_path) == ""
    (tmp_path / "net" / "sctp" / "eps").write_text("\n")
    assert proc_holder(45321, "sctp", tmp_path) == ""


@pytest.mark.asyncio
async def test_a_far_engine_is_asked_of_its_containers_only(taken: int) -> None:
    far = await check_port(taken, "127.0.0.1", "tcp", local=False)
    assert (far.free, far.known) == (True, False)
    assert not (await check_port(taken, "127.0.0.1", "tcp", local=True)).free
    answer = await check_port(taken, "127.0.0.1", "tcp", local=True, publisher="web")
    assert (answer.free, answer.holder) == (False, "web")


@pytest.mark.asyncio
async def test_a_port_published_where_this_system_sees_nothing_has_a_next_one(taken: int) -> None:
    free = ports.check(taken).next_free
    answer = await check_port(free, "127.0.0.1", "tcp", local=True, publisher="web", avoid=frozenset({free + 1}))
    assert (answer.free, answer.holder) == (False, "web")
    assert answer.next_free > free + 1
    far = await check_port(8000, "", "tcp", local=False, publisher="web", avoid=frozenset({8000, 8001}))
    assert (far.free, far.next_free) == (False, 8002)
    assert (await free_ports([free], frozenset({free})))[free] > free


@pytest.mark.asyncio
async def test_each_port_of_a_range_is_asked_for(taken: int) -> None:
    def row(low: int, high: int, inside: str) -> PortRow:
        return PortRow(f"{low}-{high}", inside, "tcp", "127.0.0.1")

    async def ask(row: PortRow, *, local: bool = True, published: dict[int, str] | None = None) -> PortAnswer:
        return await check_row(row, local=local, published=published or {})

    answer = await ask(row(taken - 1, taken + 1, "80-82"), published={taken - 1: "db", taken: "web"})
    assert (answer.held, answer.port, answer.next_free) == (True, taken - 1, 0)
    answer = await ask(row(taken, taken + 1, "80-81"))
    assert (answer.held, answer.port) == (True, taken)
    assert f"(pid {os.getpid()})" in answer.holder
    free = ports.check(taken).next_free
    assert (await ask(row(free, free, "80-80"))).free
    assert (await ask(row(taken, free, "80"))).free
    answer = await ask(row(taken, taken + 1, "80"), published={taken + 1: "web"})
    assert (answer.held, answer.port) == (True, 0)
    far = await ask(row(8000, 8002, "80-82"), local=False, published={8001: "web"})
    assert (far.held, far.port, far.holder) == (True, 8001, "web")
    assert (await ask(row(8000, 8002, "80"), local=False, published={8000: "web"})).free


def test_an_address_that_this_computer_lacks_is_not_called_taken() -> None:
    answer = ports.check(8000, "192.0.2.7")
    assert (answer.free, answer.absent, answer.held) == (False, True, False)
