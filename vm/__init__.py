"""The Linux machine that lends an engine to macOS and Windows, without Qt."""
