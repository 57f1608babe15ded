"""Settings: looks, engine, quitting, and what the program is."""
