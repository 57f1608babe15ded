"""Running a container: the form, its command line in both directions, its checks and its request."""
