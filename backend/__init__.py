"""The container engine, wherever it runs: client, discovery and the embedded engine, without Qt."""
