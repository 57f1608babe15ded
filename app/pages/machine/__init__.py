"""The machine: what it is, what it has, what is wrong with it, and what can be done with it."""
