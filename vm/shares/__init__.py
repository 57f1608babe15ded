"""Folders of this computer inside the machine: which may be shared, where they lie there, and who serves them."""
