"""What can be wrong with the machine: checks of every part, what mends it, and one bundle of it all for a report."""
