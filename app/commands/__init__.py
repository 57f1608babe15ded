"""What a person wants done, one module per noun."""
