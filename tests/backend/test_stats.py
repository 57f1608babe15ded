"""Use worked out of samples: a gap where counters cannot be compared, never a spike."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from backend import errors as e
from backend.failures import api_error, message_of, pull_failed
from backend.stats import Counters, work_out
from backend.times import unix_seconds
from backend.types.stats import Sample

NOW = "2026-01-01T00:00:01.123456789Z"


def sample(**changes: Any) -> Sample:
    whole: dict[str, Any] = {
        "read": NOW, "preread": "2026-01-01T00:00:00Z",
        "cpu_stats": {"cpu_usage": {"total_usage": 1500}, "system_cpu_usage": 5000, "online_cpus": 4},
        "precpu_stats": {"cpu_usage": {"total_usage": 1000}, "system_cpu_usage": 4000, "online_cpus": 4},
        "memory_stats": {"usage": 1000, "limit": 5000, "stats": {"inactive_file": 300}},
        "pids_stats": {"current": 2, "limit": 18446744073709551615}, **changes,
    }  # fmt: skip
    return msgspec.json.decode(msgspec.json.encode(whole), type=Sample)


def test_cpu_as_the_docker_command_line_has_it() -> None:
    found = work_out(sample())
    assert found is not None
    assert found.cpu == pytest.approx(2.0)
    assert (found.memory, found.memory_limit, found.pids, found.cores) == (700, 5000, 2, 4)
    assert found.at == pytest.approx(unix_seconds("2026-01-01T00:00:01.123456Z"))


def cpu(total: int, system: int, **more: object) -> dict[str, object]:
    return {"cpu_usage": {"total_usage": total, **more}, "system_cpu_usage": system}


@pytest.mark.parametrize(
    "changes",
    [
        {"precpu_stats": {}}, {"precpu_stats": cpu(0, 0)}, {"cpu_stats": {}}, {"precpu_stats": cpu(9999, 4000)},
        {"precpu_stats": cpu(1000, 9999)}, {"precpu_stats": cpu(1000, 5000)}, {"cpu_stats": cpu(1500, 0)},
        {"cpu_stats": cpu(1500, 5000)},
    ],
)  # fmt: skip
def test_counters_that_cannot_be_compared_are_a_gap(changes: dict[str, object]) -> None:
    found = work_out(sample(**changes))
    assert found is not None
    assert found.cpu is None


def test_cores_by_their_counters_and_no_more_than_all_of_them() -> None:
    found = work_out(sample(cpu_stats=cpu(9500, 5000, percpu_usage=[1, 2])))
    assert found is not None
    assert (found.cores, found.cpu) == (2, 2.0)
    idle = work_out(sample(), Counters(1500, 4000, 1))
    assert idle is not None
    assert idle.cpu == 0.0


@pytest.mark.parametrize(
    ("memory", "bytes_"),
    [
        ({"usage": 1000, "stats": {"total_inactive_file": 400, "inactive_file": 100}}, 600),
        ({"usage": 1000, "stats": {"inactive_file": 100}}, 900),
        ({"usage": 1000, "stats": {"inactive_file": 2000}}, 1000),
        ({"usage": 1000, "stats": {"inactive_file": "x"}}, 1000),
        ({"usage": 1000}, 1000), ({}, None), ({"privateworkingset": 7}, 7),
    ],
)  # fmt: skip
def test_memory_without_cache(memory: dict[str, object], bytes_: int | None) -> None:
    found = work_out(sample(memory_stats=memory))
    assert found is not None
    assert found.memory == bytes_


def test_networks_and_blocks_missing_null_and_summed() -> None:
    found = work_out(sample(networks=None, blkio_stats={"io_service_bytes_recursive": None}))
    assert found is not None
    assert (found.net_in, found.block_read) == (0, 0)
    rows = [
        {"op": "read", "value": 1},
        {"op": "Read", "value": 2},
        {"op": "WRITE", "value": 4},
        {"op": "Total", "value": 9},
    ]
    nets = {"a": {"rx_bytes": 1, "tx_bytes": 2}, "b": {"rx_bytes": 3, "tx_bytes": 4}}
    found = work_out(sample(networks=nets, blkio_stats={"io_service_bytes_recursive": rows}))
    assert found is not None
    assert (found.net_in, found.net_out, found.block_read, found.block_write) == (4, 6, 3, 4)


@pytest.mark.parametrize("read", ["0001-01-01T00:00:00Z", "", "no time", "9999-99-99"])
def test_a_sample_without_a_time_is_none(read: str) -> None:
    assert work_out(sample(read=read)) is None


@pytest.mark.parametrize(
    ("status", "message", "kind", "facts"),
    [
        (409, 'Conflict. The container name "/a" is already in use by container "' + "ab" * 32 + '". You', e.NameInUse,
         {"name": "a", "holder": "ab" * 32}),
        (500, 'creating container storage: the container name "a" is already in use by ' + "cd" * 32 + ". You have",
         e.NameInUse, {"name": "a", "holder": "cd" * 32}),
        (500, "driver failed: Bind for 0.0.0.0:8080 failed: port is already allocated", e.PortInUse, {"port": 8080}),
        (500, "listen tcp4 127.0.0.1:80: bind: address already in use", e.PortInUse, {"port": 80}),
        (500, "rootlessport listen tcp 0.0.0.0:8081: bind: address already in use", e.PortInUse, {"port": 8081}),
        (500, "failed to bind host port for :::443:172.17.0.2:443/tcp: address already in use", e.PortInUse,
         {"port": 443}),
        (500, "write /x: no space left on device", e.DiskFull, {}),
        (409, "unable to delete 1 (cannot be forced) - image is being used by running container abcdef012345",
         e.ImageInUse, {"holder": "abcdef012345", "running": True}),
        (409, "unable to remove repository reference - container abcdef012345 is using its referenced image 1",
         e.ImageInUse, {"holder": "abcdef012345", "running": False}),
        (409, "image a:1 is in use: image used by " + "ab" * 32 + ": image is in use by a container", e.ImageInUse,
         {"holder": "ab" * 32}),
        (500, "network name net1 already used: network already exists", e.NameInUse, {"name": "net1"}),
        (409, "network with name n already exists", e.NameInUse, {"name": "n"}),
        (409, "something else", e.Conflict, {}), (404, "No such image: x", e.NotFound, {}),
        (403, "no", e.Unauthorized, {}),
        (400, "bad", e.BadRequest, {}), (503, "x", e.EngineFault, {}),
    ],
)  # fmt: skip
def test_refusals_become_facts(status: int, message: str, kind: type[e.ApiError], facts: dict[str, object]) -> None:
    found = api_error(status, message, "POST /x")
    assert type(found) is kind
    assert {name: getattr(found, name) for name in facts} == facts
    assert (found.status, found.message, found.what) == (status, message, "POST /x")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("toomanyrequests: You have reached your pull rate limit", e.RateLimited),
        ("pull access denied for x, repository does not exist or may require 'docker login'", e.RegistryDenied),
        ("unauthorized: authentication required", e.RegistryDenied),
        ('Get "https://r/v2/": dial tcp: lookup r: no such host', e.RegistryUnreachable),
        ("filesystem layer verification failed for digest sha256:1", e.PullFailed),
        ("manifest for x:y not found", e.PullFailed),
    ],
)
def test_failed_pulls_are_told_apart(message: str, kind: type[e.PullFailed]) -> None:
    assert type(pull_failed("x:y", message)) is kind


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"message":"a\\n b"}', "a b"), (b'{"cause":"c"}', "c"), (b"plain", "plain"), (b"\xff", "\ufffd"), (b"", ""),
        (b"<html><style>x</style><h1>Bad</h1> gate&lt;way</html>", "Bad gate<way"), (b"[" * 5000, "[" * 4096),
    ],
)  # fmt: skip
def test_messages_out_of_any_body(body: bytes, words: str) -> None:
    assert message_of(body) == words
