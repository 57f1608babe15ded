"""Live streams for one view each: logs, stats, processes."""
