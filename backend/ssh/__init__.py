"""Engines on other hosts: SSH connections to them, host keys, credentials and the person's own configuration."""
