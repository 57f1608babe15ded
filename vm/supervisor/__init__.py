"""The process that owns a running machine: QEMU, the way into it, its socket and ports on this computer, its clock."""

LOCKED = 75
"""The exit code of a supervisor whose machine another one holds."""
