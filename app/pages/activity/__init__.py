"""Activity: every action with its progress, output and docker command line."""
