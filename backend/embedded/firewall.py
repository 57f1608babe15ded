"""Whether another engine owns the firewall chains of this host's network namespace."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from backend.embedded.dockerd import search_path

OWN_MARK = "firewall"


def owner(iptables: str) -> str:
    """In words, who owns the chains; empty when nobody does. A process counts as well as rules that it left."""
    for pid in _dockerds():
        return f"dockerd (process {pid})"
    for table in ("nat", "filter"):
        asked = subprocess.run(
            [iptables, "-w", "5", "-t", table, "-S", "DOCKER"],
            capture_output=True,
            check=False,
            timeout=10,
            env={"PATH": search_path(), "LC_ALL": "C"},
        )
        if asked.returncode == 0:
            return f"the chain DOCKER of the table {table}"
    return ""


def _dockerds() -> list[int]:
    """Processes named dockerd that share our network namespace."""
    ours = os.stat("/proc/self/ns/net").st_ino
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if (entry / "comm").read_text().strip() == "dockerd" and (entry / "ns/net").stat().st_ino == ours:
                found.append(int(entry.name))
        except OSError:
            continue
    return found
