"""Reusable widgets that know nothing of containers."""
