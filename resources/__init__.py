"""Files that the program shows: design tokens, icons, fonts."""
