"""Qt item models over the stores, without IO and without state of their own."""
