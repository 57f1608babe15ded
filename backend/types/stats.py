"""A sample of use as GET /containers/{id}/stats sends it; backend.stats works it out. Bytes and nanoseconds."""

from __future__ import annotations

from msgspec import Struct


class CpuUsage(Struct, frozen=True):
    """Nanoseconds (100 ns on Windows) since the container started."""

    total_usage: int = 0
    percpu_usage: tuple[int, ...] | None = None


class CpuStats(Struct, frozen=True):
    """CPU of the container beside that of the whole system."""

    cpu_usage: CpuUsage = CpuUsage()
    system_cpu_usage: int = 0
    online_cpus: int = 0


class MemoryStats(Struct, frozen=True):
    """`stats` are the lines of memory.stat; `privateworkingset` is Windows'."""

    usage: int | None = None
    limit: int = 0
    stats: dict[str, object] | None = None
    privateworkingset: int | None = None


class NetworkCounters(Struct, frozen=True):
    """One interface."""

    rx_bytes: int = 0
    tx_bytes: int = 0


class BlockCounter(Struct, frozen=True):
    """One operation on one device."""

    op: str = ""
    value: int = 0


class BlockStats(Struct, frozen=True):
    """Bytes by device and operation."""

    io_service_bytes_recursive: tuple[BlockCounter, ...] | None = None


class PidStats(Struct, frozen=True):
    """Processes and threads."""

    current: int = 0


class StorageStats(Struct, frozen=True):
    """Windows' own block counters."""

    read_size_bytes: int = 0
    write_size_bytes: int = 0


class Sample(Struct, frozen=True):
    """One sample; `precpu_stats` is the one before, empty in the first."""

    read: str = ""
    preread: str = ""
    num_procs: int = 0
    cpu_stats: CpuStats = CpuStats()
    precpu_stats: CpuStats = CpuStats()
    memory_stats: MemoryStats = MemoryStats()
    networks: dict[str, NetworkCounters] | None = None
    blkio_stats: BlockStats | None = None
    pids_stats: PidStats | None = None
    storage_stats: StorageStats | None = None
