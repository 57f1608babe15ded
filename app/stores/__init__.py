"""Truth in memory, one store per noun, filled by app.sync alone."""
