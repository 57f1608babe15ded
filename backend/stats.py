"""Use of CPU, memory, network and disk, worked out as the docker command line does it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, MutableMapping
from contextlib import suppress
from typing import NamedTuple

import msgspec

from backend import decoding
from backend.client import Engine
from backend.errors import BackendError, ProtocolError
from backend.names import segment
from backend.ndjson import LineSplitter
from backend.times import unix_seconds
from backend.types.containers import ContainerId, Stats
from backend.types.stats import CpuStats, MemoryStats, Sample
from backend.types.system import Feature

_DECODER = msgspec.json.Decoder(Sample)


class Counters(NamedTuple):
    """What must be known of the sample before: nanoseconds of CPU of the container and of the system, Unix seconds."""

    cpu: int
    system: int
    at: float


def counters(sample: Sample) -> Counters:
    """The counters of a sample, for the next one."""
    return Counters(
        sample.cpu_stats.cpu_usage.total_usage, sample.cpu_stats.system_cpu_usage, unix_seconds(sample.read)
    )


def work_out(sample: Sample, before: Counters | None = None) -> Stats | None:
    """The figures of a sample, since `before` or since the sample that it brings along.

    None for a container that does not run: the engine then sends a sample without a time.
    """
    at = unix_seconds(sample.read)
    if at <= 0:
        return None
    if before is None:
        old = sample.precpu_stats
        before = Counters(old.cpu_usage.total_usage, old.system_cpu_usage, unix_seconds(sample.preread))
    reads, writes = _blocks(sample)
    networks = (sample.networks or {}).values()
    cores = sample.cpu_stats.online_cpus or len(sample.cpu_stats.cpu_usage.percpu_usage or ()) or sample.num_procs
    return Stats(
        at=at,
        cpu=_cpu(sample.cpu_stats, cores, before, at, windows=sample.num_procs > 0),
        memory=_memory(sample.memory_stats),
        memory_limit=sample.memory_stats.limit,
        net_in=sum(n.rx_bytes for n in networks),
        net_out=sum(n.tx_bytes for n in networks),
        block_read=reads,
        block_write=writes,
        pids=sample.pids_stats.current if sample.pids_stats else 0,
        cores=cores,
    )


def _cpu(now: CpuStats, cores: int, before: Counters, at: float, *, windows: bool) -> float | None:
    """The share of one core (docker/cli: container/stats_helpers.go), None where counters cannot be compared."""
    used = now.cpu_usage.total_usage - before.cpu
    if windows:  # Counted in 100 ns, and against the clock.
        passed = at - before.at
        return used * 1e-7 / passed if used >= 0 and 0 < passed < 3600 and before.cpu else None
    passed_system = now.system_cpu_usage - before.system
    if before.system <= 0 or passed_system <= 0 or used < 0 or not cores:
        return None
    return min(used / passed_system * cores, float(cores))


def _memory(stats: MemoryStats) -> int | None:
    """Bytes without the page cache that can be dropped: total_inactive_file on cgroup v1, inactive_file on v2."""
    if stats.usage is None:
        return stats.privateworkingset
    details = stats.stats or {}
    cache = details.get("total_inactive_file", details.get("inactive_file", 0))
    return stats.usage - cache if isinstance(cache, int) and 0 <= cache < stats.usage else stats.usage


def _blocks(sample: Sample) -> tuple[int, int]:
    rows = sample.blkio_stats.io_service_bytes_recursive or () if sample.blkio_stats else ()
    reads = sum(r.value for r in rows if r.op.lower() == "read")
    writes = sum(r.value for r in rows if r.op.lower() == "write")
    storage = sample.storage_stats
    if not rows and storage is not None:
        return storage.read_size_bytes, storage.write_size_bytes
    return reads, writes


def _sample(line: bytes, what: str) -> Sample:
    try:
        return _DECODER.decode(line)
    except msgspec.ValidationError:
        return decoding.decode_loosely(line, Sample, what)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProtocolError(what, str(error)) from error


async def stats_stream(engine: Engine, id: str, *, deadline: float = 10) -> AsyncGenerator[Stats, None]:
    """A sample a second for as long as somebody reads; none while the container does not run. Raises NotFound.

    Closing the iterator closes the connection. `deadline` is until the engine begins to answer.
    """
    path = f"/containers/{segment(id)}/stats"
    splitter = LineSplitter(path)
    async with await engine.raw(path, query={"stream": True}, deadline=deadline) as source:
        while data := await source.read():
            for line in splitter.feed(data):
                if (stats := work_out(_sample(line, path))) is not None:
                    yield stats


async def stats_once(
    engine: Engine,
    ids: Iterable[str],
    *,
    before: MutableMapping[ContainerId, Counters] | None = None,
    deadline: float = 15,
) -> dict[ContainerId, Stats]:
    """One sample of each, all asked at once over connections of their own; who does not answer is left out.

    With `before` (kept by the caller, updated here) the CPU is since the call before, and the engine is asked for one
    reading only, the cheapest way. Without it the engine waits a second itself to tell the CPU.
    """
    once = before is not None and Feature.ONE_SHOT_STATS in engine.features
    wanted = [ContainerId(i) for i in ids]
    answers = await asyncio.gather(*(_one(engine, i, once, deadline) for i in wanted))
    known = before if before is not None else {}
    found: dict[ContainerId, Stats] = {}
    for id_, sample in zip(wanted, answers, strict=True):
        if sample is None:
            known.pop(id_, None)
            continue
        if (stats := work_out(sample, known.get(id_))) is not None:
            found[id_] = stats
            known[id_] = counters(sample)
    for gone in set(known) - set(wanted):
        del known[gone]
    return found


async def _one(engine: Engine, id_: str, once: bool, deadline: float) -> Sample | None:
    path = f"/containers/{segment(id_)}/stats"
    body = b""
    with suppress(BackendError, TimeoutError):
        async with asyncio.timeout(deadline):
            query = {"stream": False, "one-shot": True if once else None}
            async with await engine.raw(path, query=query, deadline=deadline) as source:
                while data := await source.read():
                    body += data
                    if len(body) > decoding.LINE_CAP:
                        return None
        return _sample(body, path)
    return None
