"""The Run dialog: a form for a new container."""
