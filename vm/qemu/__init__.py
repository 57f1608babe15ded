"""QEMU under the machine: found, its accelerators tried, its command line, its monitor, its process and disks."""
