"""The Builds page: the builds made here, one build in view, and the Build dialog."""
