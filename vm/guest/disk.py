"""The data disk: what a blank one begins with, the host's word to the guest that it may be formatted."""

from __future__ import annotations

SIZE = 4096
_OURS = b"This is the data disk of a Pilothouse machine. "
_UNUSED = b"Nothing was written to it yet; the machine may format it."
# The guest formats only what ends its first 4 KiB like this, and mounts only what begins like it, so a disk of somebody
# else is never touched. ext4 leaves the first kilobyte free; the second half goes before the disk is used.
BLANK = _OURS.ljust(SIZE // 2, b"\0") + _UNUSED.ljust(SIZE // 2, b"\0")
